/* version.h - which faildrill this is. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_VERSION_H
#define FD_BASE_VERSION_H

#define FD_VERSION "0.1.0"

#endif
