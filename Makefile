# faildrill - make help lists the targets.
# SPDX-License-Identifier: Apache-2.0
BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc

LIBS := libssh2 yaml-0.1 libcurl hiredis libuv libcares openssl jansson sqlite3
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

SOURCES := $(wildcard runner/*/*.c probes/*.c reports/*.c)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
# Scripts that are sent to hosts, and styles of pages, are compiled in as text.
TEXTS   := $(wildcard runner/transports/*.sh runner/store/*.sql reports/*.css reports/*.js)
EMBEDS  := $(TEXTS:%=$(BUILD)/embed/%.h)

all: $(BUILD)/faildrill ## build the program (default)

$(BUILD)/faildrill: $(BUILD)/runner/main.o $(BUILD)/libfaildrill.a
	$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/libfaildrill.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c | $(EMBEDS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(PKG_CFLAGS) -I$(BUILD)/embed -MMD -MP -c -o $@ $<

# "a/b.sh" becomes the array body of embed/a/b.sh.h: const char text[] = { #include it, 0 };
$(BUILD)/embed/%.h: %
	@mkdir -p $(@D)
	od -An -v -tu1 $< | sed 's/\([0-9][0-9]*\)/\1,/g' > $@

-include $(OBJECTS:.o=.d) $(BUILD)/runner/main.d

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s'|'

.PHONY: all clean help
