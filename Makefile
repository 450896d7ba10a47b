# faildrill - `make help` lists what can be made.
# SPDX-License-Identifier: Apache-2.0
BUILD   ?= build
PREFIX  ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
# One short line a file; make V=1 shows the whole command.
Q    := $(if $(V),,@)
SAY   = $(if $(V),:,$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,printf '  %-5s %s\n'))

# What is built with ------------------------------------------------------------------------------

LIBS := libssh2 yaml-0.1 libcurl hiredis librabbitmq libpq libmariadb libuv libcares openssl jansson sqlite3
HARDENING := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
             -fcf-protection -ftrivial-auto-var-init=zero -fPIE
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Wformat=2 -Werror
OPTIMISE ?= -O2 -g
SANITIZE ?=
CFLAGS  := -std=gnu11 $(OPTIMISE) $(WARNINGS) $(HARDENING) $(SANITIZE) -pthread
LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack $(SANITIZE) -pthread
# Asked late, so that `make deps` works before the libraries are there.
PKG_CFLAGS = $(shell pkg-config --cflags $(LIBS))
PKG_LIBS   = $(shell pkg-config --libs $(LIBS)) -lm

# Debian 12's names: what the build wants, what the demo's hosts run, what the tests add.
DEPS := gcc libc6-dev make pkg-config libssh2-1-dev libyaml-dev libcurl4-openssl-dev libhiredis-dev \
        librabbitmq-dev libpq-dev libmariadb-dev libuv1-dev libc-ares-dev libssl-dev libjansson-dev libsqlite3-dev tzdata \
        openssh-client openssh-server nftables iproute2 procps util-linux \
        redis-server redis-sentinel redis-tools python3 python3-redis
CHECK_DEPS := libcmocka-dev clang llvm strace shellcheck busybox tmux chromium git curl sudo openssl runc podman \
              iptables ipset postgresql-15 mariadb-server
ALERT_DEPS := prometheus prometheus-alertmanager curl python3
DATABASE_DEPS := patroni python3-etcd etcd-server haproxy postgresql-15-repmgr pg-auto-failover-cli postgresql-15-auto-failover \
                 mariadb-server
WEB_DEPS := haproxy nginx-light keepalived etcd-server rabbitmq-server
SYSTEMD_DEPS := systemd systemd-sysv systemd-container dbus iproute2 openssh-server
KERNEL_DEPS := qemu-system-x86 cpio kmod busybox systemd
# Those whom `make bench` measures beside us.
BENCH_DEPS := ansible-core clustershell pssh

# The program -------------------------------------------------------------------------------------

SOURCES := $(wildcard runner/*/*.c probes/*.c reports/*.c)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
# Scripts that are sent to hosts, and styles of pages, are compiled in as text.
TEXTS   := $(wildcard runner/transports/*.sh runner/systems/*.sh runner/faults/*.sh runner/faults/*.py runner/store/*.sql reports/*.css reports/*.js)
EMBEDS  := $(TEXTS:%=$(BUILD)/embed/%.h)
COMPILE  = $(CC) $(CFLAGS) $(PKG_CFLAGS) -I$(BUILD)/embed -MMD -MP

all: $(BUILD)/faildrill ## build the program (default)

$(BUILD)/faildrill: $(BUILD)/runner/main.o $(BUILD)/libfaildrill.a
	@$(SAY) link $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/libfaildrill.a: $(OBJECTS)
	@rm -f $@
	@$(SAY) ar $@
	$(Q)ar rcs $@ $^

$(BUILD)/%.o: %.c | $(EMBEDS)
	@mkdir -p $(@D)
	@$(SAY) $(CC) $<
	$(Q)$(COMPILE) -c -o $@ $<

# "a/b.sh" becomes the array body of embed/a/b.sh.h: const char text[] = { #include it, 0 };
$(BUILD)/embed/%.h: %
	@mkdir -p $(@D)
	$(Q)od -An -v -tu1 $< | sed 's/\([0-9][0-9]*\)/\1,/g' > $@

install: $(BUILD)/faildrill ## install program, scenarios and lab (PREFIX, DESTDIR)
	install -D -m 755 $(BUILD)/faildrill $(DESTDIR)$(PREFIX)/bin/faildrill
	find scenarios -type f -exec sh -c 'for file; do m=644; test ! -x "$$file" || m=755; \
	  install -D -m $$m "$$file" "$(DESTDIR)$(PREFIX)/share/faildrill/$$file"; done' sh {} +

docs: $(BUILD)/faildrill ## write REFERENCE.md and the JSON Schemas anew, from the field tables
	FAILDRILL=$(BUILD)/faildrill tests/lint/docs scenarios

# Other machines' packages ------------------------------------------------------------------------

deps: ## install what the build and the demo need (Debian 12); starts no service
	@.ci/deps $(DEPS)

check-deps: ## install what the tests need as well
	@.ci/deps $(DEPS) $(sort $(CHECK_DEPS) $(DATABASE_DEPS) $(WEB_DEPS))

kernel-deps: # what `make kernels` needs as well; the kernel itself is unpacked, not installed
	@.ci/deps $(DEPS) $(KERNEL_DEPS)

bench-deps: # the peers of `make bench`; those that are missing it leaves out by name
	@.ci/deps $(DEPS) $(BENCH_DEPS)

alerts-deps: # what `make alerts` needs as well; starts no service
	@.ci/deps $(DEPS) $(ALERT_DEPS)

database-deps: # what `make databases` needs as well
	@.ci/deps $(DEPS) postgresql-15 $(DATABASE_DEPS)

systemd-deps: # what `make systemd` needs as well
	@.ci/deps $(DEPS) $(SYSTEMD_DEPS)

demo: deps ## staging and production on this machine, drilled: a refusal, then two passes
	@$(MAKE) --no-print-directory -s -j$$(nproc) all
	@FAILDRILL=$(abspath $(BUILD))/faildrill scenarios/lab/demo

# Tests -------------------------------------------------------------------------------------------

PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*_test.c tests/contract/*_test.c tests/golden/*_test.c))
SUPPORT  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fakes/*.c))
TOOLS    := $(BUILD)/tests/system/observer $(patsubst %.c,$(BUILD)/%,$(wildcard tests/crash/*_at.c))
SCRIPTS  := $(wildcard tests/contract/*_test.sh tests/golden/*_test.sh tests/malformed/*_test.py)
RUN       = BUILD=$(BUILD) FAILDRILL=$(abspath $(BUILD))/faildrill tests/run
DRILLS   ?= 20
RUNS     ?= 5
POINTS   ?= 10000

MALFORMED := $(BUILD)/tests/malformed/write
# Exact versions: a schema's meaning must not move under the test.
NPM_PARTS := ajv@8.17.1 yaml@2.6.1

tests: $(PROGRAMS) $(TOOLS) $(MALFORMED) # build the test programs

$(BUILD)/tests/%_test: $(BUILD)/tests/%_test.o $(BUILD)/tests/support.a $(BUILD)/libfaildrill.a
	@$(SAY) link $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(PKG_LIBS)

# Fakes, and main.c for the tests that want its tables: taken where a test refers to them.
$(BUILD)/tests/support.a: $(SUPPORT) $(patsubst runner/main.c,$(BUILD)/tests/main.o,$(wildcard runner/main.c))
	@mkdir -p $(@D) && rm -f $@
	@$(SAY) ar $@
	$(Q)ar rcs $@ $^

$(BUILD)/tests/main.o: runner/main.c | $(EMBEDS)
	@mkdir -p $(@D)
	@$(SAY) $(CC) $<
	$(Q)$(COMPILE) -Dmain=faildrill_main -c -o $@ $<

$(TOOLS) $(BUILD)/tests/kernels/clocks: %: %.o
	@$(SAY) link $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(MALFORMED): %: %.o $(BUILD)/tests/support.a $(BUILD)/libfaildrill.a
	@$(SAY) link $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

schemas: all tests $(BUILD)/npm/ready ## JSON Schemas judged by ajv beside validate, on every good and malformed file (needs npm)
	@BUILD=$(BUILD) tests/malformed/malformed_test.py $(BUILD)/malformed
	@BUILD=$(BUILD) tests/schemas/schemas_test.js $(BUILD)/malformed

$(BUILD)/npm/ready:
	@mkdir -p $(@D)
	$(Q)npm install --prefix $(@D) --no-save --no-audit --no-fund --silent $(NPM_PARTS)
	@touch $@

unit: all tests ## unit, contract and golden tests: 30 s, no root
	@$(RUN) $(PROGRAMS) $(SCRIPTS)

cli: all ## the program as a person uses it
	@$(RUN) -t 600 $(wildcard tests/cli/*_test.sh)

# The longest first; they mostly wait, so there may be one more than there are cores.
HOSTS     = $(filter-out $(CATALOGUE), tests/system/node_test.sh tests/system/lab_test.sh \
            $(filter-out %/node_test.sh %/lab_test.sh,$(wildcard tests/system/*_test.sh)))
CATALOGUE = $(patsubst %,tests/system/%_test.sh,again aws beside canary cancel chains config container delay flap freeze halt iptables link loop \
            machine named network notify race reach repeat resources shapes shells try words) tests/faults/fingerprint_test.py

# The same in two parts, for `make check`: the two longest, which go on beside its builds; then the others, the longest
# of them first.
LONG      = $(filter %/node_test.sh %/lab_test.sh,$(HOSTS))
OTHERS    = $(filter %/harm_test.sh,$(HOSTS)) $(filter-out $(LONG) %/harm_test.sh,$(HOSTS))

hosts: all tests ## what is done on hosts, on the lab's own
	@$(RUN) -j 3 -t 1200 $(HOSTS)

.PHONY: hosts-long hosts-others
hosts-long: all tests
	@$(RUN) -j 2 -t 1200 $(LONG)

hosts-others: all tests
	@$(RUN) -j 4 -t 1200 $(OTHERS)

faults: all tests ## each kind of fault, container, transport and shell of the catalogue on hosts: 5 minutes
	@$(RUN) -j 3 -t 1200 $(CATALOGUE)

shapes: all ## every shape of a cut, measured from both ends on 5 hosts
	@SHAPES=all $(RUN) -t 1200 tests/system/shapes_test.sh

drills: all tests ## drills beside an independent observer (DRILLS=20)
	@DRILLS=$(DRILLS) $(RUN) -t 3600 tests/system/drills.sh

databases: database-deps all ## databases drilled in every way of scenarios/, and what undoes it: 55 minutes
	@$(RUN) -t 3600 tests/system/patroni.sh $(wildcard tests/databases/*_test.sh)

.PHONY: web web-deps
web: web-deps all ## HAProxy, keepalived, etcd, RabbitMQ and a system that is taught, drilled in every way of scenarios/: 30 minutes
	@$(RUN) -j 2 -t 1800 $(wildcard tests/web/*_test.sh)

web-deps: # what `make web` needs as well; starts no service
	@.ci/deps $(DEPS) $(WEB_DEPS)

gate: all ## 400 wrong environments and papers, 250 forbidden requests, 1,000 pairs of runners: an hour
	@$(RUN) -t 3600 $(wildcard tests/gate/*_test.sh)
	@PAIRS=1000 $(RUN) -t 7200 tests/system/race_test.sh

machines: all ## hosts whose power is cut: all that may go wrong, three minutes
	@$(RUN) -t 1200 tests/system/machine.sh

# The two that most people have, in `make check`; its drills beside an observer are those of Redis.
failovers-part: all
	@SETS=patroni,web ONLY=patroni_primary_dies,web_server_dies $(RUN) -t 600 tests/system/failovers.sh

.PHONY: system-table failovers-part
system: database-deps web-deps all ## each system of the lab: primary killed, machine lost, planned switchover (20 minutes)
	@$(RUN) -t 3600 tests/system/failovers.sh

system-table: database-deps web-deps all ## every drill of a failover RUNS=5 times: writes tests/system/TABLE.md, goes on where it was cut off (2 hours)
	@BUILD=$(BUILD) FAILDRILL=$(abspath $(BUILD))/faildrill tests/system/table.py --runs $(RUNS) --write tests/system/TABLE.md

faults-matrix: all ## every kind of fault x all that may go wrong: 0 silent; writes tests/faults/MATRIX.md, README.md
	@export BUILD=$(BUILD) FAILDRILL=$(abspath $(BUILD))/faildrill; set -- --write tests/faults/MATRIX.md --readme README.md; \
		tests/faults/matrix.py "$$@" && { tests/faults/matrix.py --systemd --lanes 4 "$$@" || [ $$? -eq 77 ]; }

mutants: all tests $(BUILD)/tests/system/node_test ## seeded safety bugs, each caught by a named test: 10 minutes
	@BUILD=$(BUILD) tests/mutants/run.py

crash: all tests ## kill -9 and errors at system calls of runner, guard, undo and nft; links cut (POINTS=10000)
	@POINTS=$(POINTS) $(RUN) -t 7200 tests/crash/run_crash.py

crash-store: all tests ## the same of the store alone: its writer killed, its calls failing, its power cut
	@POINTS=$(POINTS) $(RUN) -t 7200 tests/crash/store_crash_test.sh

bench: ## ratios against peers and bare programs, printed; never a pass or fail
	@BUILD=$(BUILD) tests/bench/run

kernels: kernel-deps all $(addprefix $(BUILD)/tests/kernels/,parts clocks) ## on a kernel of their own, emulated: tc netem, sysrq, clocks (20 minutes)
	@$(RUN) -j 1 -t 1800 $(wildcard tests/kernels/*_test.sh)

pods: all ## pods through the real kubectl, with a stand-in for the cluster's API: 2 minutes
	@$(RUN) -t 1200 $(wildcard tests/pods/*_test.sh)

systemd: systemd-deps all ## hosts with a real systemd: units and their Restart=, daemon-reload, reboot (5 minutes)
	@$(RUN) -t 1800 $(wildcard tests/systemd/*_test.sh)

.PHONY: alerts alerts-deps
alerts: alerts-deps all ## a real Prometheus and Alertmanager: alerts that fire, silences that end (3 minutes)
	@$(RUN) -t 1800 $(wildcard tests/alerts/*_test.sh)

.PHONY: gameday
gameday: systemd-deps all $(BUILD)/tests/gameday/calendar_at ## a game day unattended, killed and resumed; dates beside systemd's (10 minutes)
	@$(RUN) -t 1800 $(wildcard tests/gameday/*_test.*)

$(BUILD)/tests/gameday/calendar_at: $(BUILD)/tests/gameday/calendar_at.o $(BUILD)/libfaildrill.a
	@$(SAY) link $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/tests/kernels/parts: $(BUILD)/tests/kernels/parts.o $(BUILD)/libfaildrill.a
	@$(SAY) link $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

lint: ## floors, sizes, names, banned functions, shellcheck, generated files
	@BUILD=$(BUILD) tests/lint/lint
	@tests/lint/selftest

check: check-deps ## everything that a change must pass: 15 minutes on 2 cores
	@.ci/check

# Both compilers and the sanitizers, each in a folder of its own. _FORTIFY_SOURCE hides overflows from asan.
ASAN = $(MAKE) --no-print-directory BUILD=$(BUILD)/asan OPTIMISE='-O1 -g -fno-omit-frame-pointer' \
       HARDENING=-fPIE SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'

asan: ## unit, contract and golden tests under the address and undefined behaviour sanitizers
	@ASAN_OPTIONS=detect_stack_use_after_return=1 $(ASAN) -s unit

asan-tests:
	+@$(ASAN) all tests

clang: ## build with clang; it fills fresh variables with a pattern where gcc uses zeros
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang CC=clang \
	  HARDENING='$(subst init=zero,init=pattern,$(HARDENING))' all tests

format: ## lay out all C files as .clang-format says
	clang-format -i $(wildcard runner/*.[ch] runner/*/*.[ch] probes/*.[ch] reports/*.[ch] tests/*/*.[ch])

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

-include $(OBJECTS:.o=.d) $(BUILD)/runner/main.d $(PROGRAMS:=.d) $(SUPPORT:.o=.d) $(wildcard $(BUILD)/tests/system/*.d)

.PHONY: all bench bench-deps asan asan-tests check check-deps clang clean cli crash database-deps databases demo deps docs drills faults \
        faults-matrix format gate help hosts install kernel-deps kernels lint machines mutants pods schemas shapes system \
        systemd systemd-deps tests unit
.SECONDARY:
