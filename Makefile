# coresnap: one Makefile. `make deps` installs what is missing, `make` builds into build/,
# `make check` runs every test. MODE=asan builds with sanitizers into build/asan/.
MODE ?= release
CC = gcc
CLANG ?= clang
PREFIX ?= /usr/local
DESTDIR ?=
PKG_CONFIG ?= pkg-config
VERSION := 0.1.0

ifeq ($(MODE),asan)
B := build/asan
MODE_FLAGS := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
else ifeq ($(MODE),release)
B := build
MODE_FLAGS := -O2
else
$(error MODE is release or asan, not '$(MODE)')
endif

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wundef -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wimplicit-fallthrough -Werror
CFLAGS ?= -g
ALL_CFLAGS = -std=gnu17 $(WARNINGS) $(MODE_FLAGS) -fvisibility=hidden -fstack-protector-strong \
	-D_GNU_SOURCE -DCORESNAP_VERSION='"$(VERSION)"' -I. $(CFLAGS)
ALL_LDFLAGS = $(MODE_FLAGS) -Wl,-z,relro,-z,now $(LDFLAGS)

# What each program is made of, and links with.
COMMON_SRC := $(sort $(wildcard common/*.c common/*/*.c))
ANALYZER_SRC := $(sort $(wildcard analyzer/*/*.c))
COMMAND_SRC := $(sort $(wildcard analyzer/*.c))
DAEMON_SRC := $(sort $(wildcard daemon/*.c))
SERVER_SRC := $(sort $(wildcard server/*.c))
TEST_SRC := $(sort $(wildcard tests/unit/*.c tests/unit/*/*.c tests/unit/*/*/*.c tests/lib/*.c))

COMMON_LIBS := -ljansson -lcrypto -lseccomp
ANALYZER_LIBS := -ldw -lelf -lseccomp -lz
DAEMON_LIBS := -lcurl -lzstd
SERVER_LIBS := -lmicrohttpd -lsqlite3 -lzstd
TEST_LIBS := $(shell $(PKG_CONFIG) --libs check 2>/dev/null || echo -lcheck)

object = $(patsubst %.c,$(B)/obj/%.o,$(1))
COMMON_OBJ := $(call object,$(COMMON_SRC))
ANALYZER_OBJ := $(call object,$(ANALYZER_SRC))
COMMAND_OBJ := $(call object,$(COMMAND_SRC))
DAEMON_OBJ := $(call object,$(DAEMON_SRC))
SERVER_OBJ := $(call object,$(SERVER_SRC))
TEST_OBJ := $(call object,$(TEST_SRC))
# Tests link a program's parts, never its main.
without_main = $(filter-out %/main.o,$(1))

PROGRAMS := $(B)/coresnap $(B)/coresnapd $(B)/coresnap-server

all: $(PROGRAMS)

$(B)/coresnap: $(COMMAND_OBJ) $(ANALYZER_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ANALYZER_LIBS) $(COMMON_LIBS)

$(B)/coresnapd: $(DAEMON_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DAEMON_LIBS) $(COMMON_LIBS)

$(B)/coresnap-server: $(SERVER_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(SERVER_LIBS) $(COMMON_LIBS)

$(B)/tests/check: $(TEST_OBJ) $(call without_main,$(COMMAND_OBJ) $(DAEMON_OBJ) $(SERVER_OBJ)) \
		$(ANALYZER_OBJ) $(COMMON_OBJ)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(ANALYZER_LIBS) $(DAEMON_LIBS) $(SERVER_LIBS) \
		$(COMMON_LIBS)

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

deps:
	@tools/deps

demo:
	@tools/deps
	@$(MAKE) --no-print-directory all
	@BUILD=$(B) tools/demo

# Structure first: it is quick. Then every unit, oracle and end-to-end test in one Check run.
check: all $(B)/tests/check
	@tools/check-structure
	@BUILD=$(B) $(B)/tests/check

clean:
	rm -rf build

.PHONY: all deps demo check clean
