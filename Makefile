# coresnap: one Makefile. `make deps` installs what is missing, `make` builds into build/,
# `make check` runs every test. MODE=asan builds with sanitizers into build/asan/. `make fuzz` runs
# each fuzz target for FUZZ_SECONDS (tests/fuzz/README.md).
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
else ifeq ($(MODE),fuzz)
B := build/fuzz
MODE_FLAGS := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
else ifeq ($(MODE),release)
B := build
MODE_FLAGS := -O2
else
$(error MODE is release, asan or fuzz, not '$(MODE)')
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
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))

COMMON_LIBS := -ljansson -lcrypto -lseccomp
ANALYZER_LIBS := -ldw -lelf -lcapstone -lseccomp -lzstd -llzma -lz -llz4
DAEMON_LIBS := -lcurl -lzstd -lseccomp
SERVER_LIBS := -lmicrohttpd -lsqlite3 -lzstd
TEST_LIBS := $(shell $(PKG_CONFIG) --libs check 2>/dev/null || echo -lcheck)

object = $(patsubst %.c,$(B)/obj/%.o,$(1))
COMMON_OBJ := $(call object,$(COMMON_SRC))
ANALYZER_OBJ := $(call object,$(ANALYZER_SRC))
COMMAND_OBJ := $(call object,$(COMMAND_SRC))
DAEMON_OBJ := $(call object,$(DAEMON_SRC))
SERVER_OBJ := $(call object,$(SERVER_SRC))
TEST_OBJ := $(call object,$(TEST_SRC))
FUZZ_OBJ := $(call object,$(FUZZ_SRC))
TEST_LIB_OBJ := $(call object,$(sort $(wildcard tests/lib/*.c)))
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $(basename $(notdir $(FUZZ_SRC)))
# Tests link a program's parts, never its main.
without_main = $(filter-out %/main.o,$(1))

PROGRAMS := $(B)/coresnap $(B)/coresnapd $(B)/coresnap-server

all: $(PROGRAMS)

$(B)/coresnap: $(COMMAND_OBJ) $(ANALYZER_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(ANALYZER_LIBS) $(COMMON_LIBS)

$(B)/coresnapd: $(DAEMON_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(DAEMON_LIBS) $(COMMON_LIBS)

$(B)/coresnap-server: $(SERVER_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(SERVER_LIBS) $(COMMON_LIBS)

$(B)/tests/check: $(TEST_OBJ) $(FUZZ_OBJ) $(call without_main,$(COMMAND_OBJ) $(DAEMON_OBJ) $(SERVER_OBJ)) \
		$(ANALYZER_OBJ) $(COMMON_OBJ)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(TEST_LIBS) $(ANALYZER_LIBS) $(DAEMON_LIBS) $(SERVER_LIBS) \
		$(COMMON_LIBS)

# In the tests each target bears its file's name; libFuzzer wants LLVMFuzzerTestOneInput itself.
ifneq ($(MODE),fuzz)
$(FUZZ_OBJ): ALL_CFLAGS += -DLLVMFuzzerTestOneInput=$(basename $(notdir $@))
$(B)/obj/tests/unit/test_fuzz_corpus.o: ALL_CFLAGS += \
	'-DFUZZ_TARGETS=$(foreach file,$(FUZZ_SRC),TARGET($(basename $(notdir $(file)))))'
$(B)/obj/tests/unit/test_fuzz_corpus.o: tests/fuzz
endif

$(B)/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(ANALYZER_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(ANALYZER_LIBS) $(COMMON_LIBS)

$(B)/fuzz_analysis: $(B)/obj/tests/fuzz/fuzz_analysis.o $(TEST_LIB_OBJ) $(ANALYZER_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(ANALYZER_LIBS) $(COMMON_LIBS)

$(B)/fuzz_heap: $(B)/obj/tests/fuzz/fuzz_heap.o $(TEST_LIB_OBJ) $(ANALYZER_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(ANALYZER_LIBS) $(COMMON_LIBS)

$(B)/fuzz_values: $(B)/obj/tests/fuzz/fuzz_values.o $(TEST_LIB_OBJ) $(ANALYZER_OBJ) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(ANALYZER_LIBS) $(COMMON_LIBS)

$(B)/fuzz_server_%: $(B)/obj/tests/fuzz/fuzz_server_%.o $(call without_main,$(SERVER_OBJ)) $(COMMON_OBJ)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(SERVER_LIBS) $(COMMON_LIBS)

# What DWARF says of layout.def's rows, for tools/make-layouts and its test.
$(B)/tools/layouts-dump: $(B)/obj/tools/layouts/dump.o $(ANALYZER_OBJ) $(COMMON_OBJ)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(ANALYZER_LIBS) $(COMMON_LIBS)

# What the heap's marks and the search for leaked goroutines find in a core, for tests and benches.
$(B)/tools/heap-dump: $(B)/obj/tools/heap/dump.o $(ANALYZER_OBJ) $(COMMON_OBJ)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(ANALYZER_LIBS) $(COMMON_LIBS)

# Another compiler or other flags: everything again. Another list of files: link again.
quote = '$(subst ','\'',$(1))'
$(B)/recipe: remembered = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(B)/sources: remembered = $(COMMON_SRC) $(ANALYZER_SRC) $(COMMAND_SRC) $(DAEMON_SRC) $(SERVER_SRC) \
	$(TEST_SRC) $(FUZZ_SRC)
$(B)/recipe $(B)/sources: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(remembered)) | cmp -s - $@ || \
		printf '%s\n' $(call quote,$(remembered)) >$@

$(PROGRAMS) $(B)/tests/check $(B)/tools/layouts-dump $(B)/tools/heap-dump: $(B)/sources

$(B)/obj/%.o: %.c Makefile $(B)/recipe
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
check: all $(B)/tests/check $(B)/tools/layouts-dump $(B)/tools/heap-dump
	@tools/check-structure
	@BUILD=$(B) $(B)/tests/check

# The other compiler is quiet, too.
check-clang:
	@if command -v $(CLANG) >/dev/null; then \
		$(MAKE) --no-print-directory CC=$(CLANG) B=build/clang all build/clang/tests/check; \
	else echo "check-clang: no $(CLANG) here"; fi

# Programs and unit tests for arm64, by a cross compiler and under qemu's user emulation.
check-arm64: all
	@BUILD=$(B) MAKE=$(MAKE) tools/check-arm64

# Each target in turn; what it finds goes to build/fuzz/corpus/, what breaks it to build/fuzz/.
fuzz:
	@$(MAKE) --no-print-directory MODE=fuzz CC=$(CLANG) run-fuzz

run-fuzz: $(addprefix $(B)/,$(FUZZ_TARGETS))
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p $(B)/corpus/$$target && \
		$(B)/$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
			-artifact_prefix=$(B)/$$target- $(B)/corpus/$$target \
			tests/fuzz/corpus/$$target || exit 1; \
	done

# The daemon looks for `coresnap` beside itself, so all programs go to one directory. Units say
# /usr/local, which becomes PREFIX; they are installed, never enabled: that is the operator's choice.
MAN_PAGES := $(sort $(wildcard man/*.[1-8]))
UNITS := $(sort $(wildcard systemd/*.service systemd/*.socket systemd/*.timer systemd/*.slice))
INSTALL := install
MAN_DIR = $(PREFIX)/share/man/man$(subst .,,$(suffix $(1)))
INSTALLED = $(foreach program,$(PROGRAMS),$(PREFIX)/bin/$(notdir $(program))) \
	$(foreach page,$(MAN_PAGES),$(call MAN_DIR,$(page))/$(notdir $(page))) \
	$(foreach unit,$(UNITS),$(PREFIX)/lib/systemd/system/$(notdir $(unit)))

install: all
	@$(INSTALL) -d '$(DESTDIR)$(PREFIX)/bin'
	@$(INSTALL) -m 755 $(PROGRAMS) '$(DESTDIR)$(PREFIX)/bin/'
	@$(foreach page,$(MAN_PAGES),$(INSTALL) -D -m 644 $(page) \
		'$(DESTDIR)$(call MAN_DIR,$(page))/$(notdir $(page))' &&) :
	@$(foreach unit,$(UNITS),$(INSTALL) -d '$(DESTDIR)$(PREFIX)/lib/systemd/system' && \
		sed 's|/usr/local/|$(PREFIX)/|g' $(unit) \
		>'$(DESTDIR)$(PREFIX)/lib/systemd/system/$(notdir $(unit))' && \
		chmod 644 '$(DESTDIR)$(PREFIX)/lib/systemd/system/$(notdir $(unit))' &&) :
	@printf '  INSTALL %s\n' $(foreach file,$(INSTALLED),'$(DESTDIR)$(file)')

uninstall:
	@rm -f $(foreach file,$(INSTALLED),'$(DESTDIR)$(file)')

# The oracle over every release that coresnap supports, and every build of crash.json's full_flags;
# toolchains are fetched by go itself. An hour and 15 GB the first time. It may be interrupted: crashes
# are kept below build/crashes, and ORACLE_RELEASES=1.24.9 does one release. The last lines are the figures.
ORACLE_RELEASES ?= 1.18.10 1.19.13 1.20.14 1.21.13 1.22.12 1.23.12 1.24.9 1.25.5 1.26.8 1.27.3
MATRIX := dot facts forms grouping hangs heap numbers run_order scheduler why stripped guessed dwarf_unread cframes values traceback
# The same under qemu's user emulation.
ARM64_RELEASES ?= $(ORACLE_RELEASES)
ARM64_MATRIX := traceback stripped

check-matrix: all $(B)/tools/layouts-dump $(B)/tools/heap-dump
	@command -v go >/dev/null || { echo "check-matrix: needs Go, which fetches the other releases" >&2; exit 1; }
	@BUILD=$(B) tools/make-layouts --check --all
	@for test in $(MATRIX); do \
		echo "check-matrix: $$test"; \
		BUILD=$(B) ORACLE_FULL=1 ORACLE_RELEASES="$(ORACLE_RELEASES)" \
			tests/oracle/test_$$test.py || exit 1; \
	done
	@for test in $(ARM64_MATRIX); do \
		echo "check-matrix: $$test, arm64"; \
		BUILD=$(B) ORACLE_ARCHES=arm64 ORACLE_RELEASES="$(ARM64_RELEASES)" \
			tests/oracle/test_$$test.py || exit 1; \
	done
	@$(MAKE) --no-print-directory check-damaged

# Every page of a core cut off and every byte of its headers, thousands of random damages to it, and
# every condition that Linux leaves cores in: many minutes.
check-damaged: all
	@BUILD=$(B) DAMAGED_LONG=1 DAMAGED_PATCHES=5000 tests/e2e/test_damaged.py
	@BUILD=$(B) CONDITIONS_LONG=1 tests/oracle/test_conditions.py

# CPU time and peak memory for 1k, 10k and 100k goroutines, beside delve's on the same core; then
# which variables each of the two can read, of the truth program and of real servers.
bench: all
	@BUILD=$(B) tests/bench/bench
	@BUILD=$(B) tests/bench/compare_delve

clean:
	rm -rf build

.PHONY: FORCE all deps demo check check-arm64 check-clang check-damaged check-matrix bench fuzz run-fuzz install uninstall clean
