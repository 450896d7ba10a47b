/* report.js - hover, filter and copy; the page reads as well without it. */
/* SPDX-License-Identifier: Apache-2.0 */
(function () {
  'use strict';
  var NS = 'http://www.w3.org/2000/svg';

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  /* One line through all charts of a picture, with the time since the fault. */
  each('svg[data-from]', function (svg) {
    var from = +svg.dataset.from, to = +svg.dataset.to;
    var left = +svg.dataset.left, right = +svg.dataset.right;
    var box = svg.viewBox.baseVal;
    var line = document.createElementNS(NS, 'line');
    var label = document.createElementNS(NS, 'text');
    line.setAttribute('class', 'cross');
    line.setAttribute('y1', 14);
    line.setAttribute('y2', box.height - 22);
    label.setAttribute('class', 'crosstext');
    label.setAttribute('y', 11);
    line.style.display = label.style.display = 'none';
    svg.appendChild(line);
    svg.appendChild(label);
    svg.addEventListener('pointermove', function (event) {
      var rect = svg.getBoundingClientRect();
      var x = (event.clientX - rect.left) * box.width / rect.width;
      var inside = x >= left && x <= right;
      line.style.display = label.style.display = inside ? '' : 'none';
      if (!inside) return;
      var seconds = from + (x - left) / (right - left) * (to - from);
      line.setAttribute('x1', x);
      line.setAttribute('x2', x);
      label.setAttribute('x', x);
      label.setAttribute('text-anchor', x > (left + right) / 2 ? 'end' : 'start');
      label.setAttribute('dx', x > (left + right) / 2 ? -6 : 6);
      label.textContent = (seconds >= 0 ? '+' : '\u2212') + Math.abs(seconds).toFixed(2) + ' s';
    });
    svg.addEventListener('pointerleave', function () {
      line.style.display = label.style.display = 'none';
    });
  });

  function button(text, act) {
    var made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.addEventListener('click', function () { act(made); });
    return made;
  }

  /* The timeline: show kinds, and copy what is shown as Markdown. */
  each('table.timeline', function (table) {
    var tools = document.createElement('p');
    tools.className = 'tools';
    ['fault', 'probe', 'event'].forEach(function (kind) {
      var made = button(kind + 's', function (self) {
        var hidden = table.classList.toggle('no-' + kind);
        self.setAttribute('aria-pressed', String(!hidden));
      });
      made.setAttribute('aria-pressed', 'true');
      tools.appendChild(made);
    });
    tools.appendChild(button('copy as Markdown', function (self) {
      var lines = ['| time | since the fault | who | what |', '| --- | --- | --- | --- |'];
      Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
        if (getComputedStyle(row).display === 'none') return;
        lines.push('| ' + Array.prototype.map.call(row.cells, function (cell) {
          return cell.textContent.trim().replace(/\|/g, '\\|');
        }).join(' | ') + ' |');
      });
      navigator.clipboard.writeText(lines.join('\n') + '\n').then(
        function () { self.textContent = 'copied'; },
        function () { self.textContent = 'the browser does not allow it'; });
    }));
    table.parentNode.insertBefore(tools, table);
  });

  /* Trends: a click on a head sorts by the numbers behind the cells. */
  each('table.sortable th', function (head) {
    head.tabIndex = 0;
    function sort() {
      var body = head.closest('table').tBodies[0], at = head.cellIndex;
      var down = head.getAttribute('aria-sort') === 'ascending';
      function value(row) {
        var cell = row.cells[at], number = cell.dataset.value;
        return number === undefined ? cell.textContent : +number;
      }
      Array.prototype.slice.call(body.rows).sort(function (a, b) {
        var x = value(a), y = value(b);
        return (x > y ? 1 : x < y ? -1 : 0) * (down ? -1 : 1);
      }).forEach(function (row) { body.appendChild(row); });
      each('table.sortable th', function (other) { other.removeAttribute('aria-sort'); });
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    }
    head.addEventListener('click', sort);
    head.addEventListener('keydown', function (event) {
      if (event.key === 'Enter') sort();
    });
  });
}());
