/* store_power.h - a disk that forgets what was not synced when the power is cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_STORE_POWER_H
#define FD_TESTS_STORE_POWER_H

/* Stands under SQLite from now on. At the point-th write, truncation or sync (from 1; 0 = never)
 * the program ends, and in `folder` each sector that was written since the last sync of its file is
 * as it was before, or as written, or torn, by lot. */
void power_cut_at(const char *folder, long point, unsigned seed);
long power_points(void); /* how many there were */

#endif
