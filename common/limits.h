// Every cap on hostile input, in one place, so that it can be reviewed in one reading.
// A cap that cuts something is reported in `diagnostics` (code "limit") or beside the value.
#ifndef CORESNAP_COMMON_LIMITS_H
#define CORESNAP_COMMON_LIMITS_H

/* Core files */
#define MAX_CORE_SEGMENTS 1048576   // PT_LOADs; the kernel's own vm.max_map_count default is 65530
#define MAX_CORE_NOTES_SIZE (1u << 30)
#define MAX_THREADS 262144          // NT_PRSTATUS notes
#define MAX_MAPPED_FILES 262144     // rows of NT_FILE
#define MAX_PATH_LENGTH 4096
#define MAX_EXECUTABLE_SEGMENTS 256 // program headers in the executable's first page
#define MAX_EXECUTABLE_NOTES_SIZE 65536

/* Executables */
#define MAX_PROGRAM_HEADERS 4096    // of an executable; linkers write about ten
#define MAX_BUILD_ID_LENGTH 256     // a Go build id is 83 characters
#define MAX_MODULES 16384           // rows of buildinfo's "dep" lines
#define MAX_BUILD_SETTINGS 256
#define MAX_FUNCTIONS 16777216      // rows of pclntab
#define MAX_PCLNTAB_SIZE (1u << 30) // one that does not lie in one run and must be put together
#define MAX_NAME_COPIES 16          // of one function name in the table; Go writes one
#define MAX_PC_VALUE_STEPS 4194304  // rows of one function's pc-value table
#define MAX_INLINE_DEPTH 256        // logical frames at one pc
#define MAX_SYMBOL_LENGTH 65536     // bytes of one function or file name
#define MAX_STRUCT_DEPTH 16         // members within members, when a field is looked up in DWARF

/* The runtime's own structures */
#define MAX_GOROUTINES 16777216     // allgs
#define MAX_PROCESSORS 65536        // allp
#define MAX_RUNTIME_THREADS 262144  // allm
#define MAX_RUN_QUEUE 16777216      // steps along one run queue
#define MAX_PANICS 256              // links of one goroutine's panic chain
#define MAX_SUDOGS 65536            // cases of one select
#define MAX_LABELS 256              // labels of one goroutine
#define MAX_WAIT_REASONS 256
#define MAX_TYPE_NAME 4096
#define MAX_PROCESS_STRINGS 4096    // arguments, or environment variables
#define MAX_ARGUMENT_LENGTH 4096    // bytes of one of them

/* Unwinding */
#define MAX_FRAMES 65536            // physical frames of one stack; deeper stacks are cut in the middle
#define MAX_UNWIND_STEPS (1u << 26)  // physical frames walked; a 1 GiB stack of the smallest frames
#define MAX_SIGNAL_FRAMES 16        // nested signal contexts on one thread
#define MAX_STACK_SIZE (1ull << 30) // Go's own largest goroutine stack (runtime.maxstacksize)

/* What is written */
#define MAX_MESSAGE_LENGTH 65536    // a panic's or throw's text
#define MAX_LABEL_LENGTH 4096
#define MAX_QUEUE_WRITTEN 1024      // rows of one run queue in the snapshot
#define MAX_WAITING_ON_WRITTEN 256  // cases of one select in the snapshot
#define MAX_GROUP_EXAMPLES 3
#define MAX_SHOWN_FRAMES 262144      // logical frames of one printed stack
#define MAX_GROUPING_FRAMES 1024    // of the blamed stack, for title and grouping keys
#define MAX_DIAGNOSTICS 256
#define MAX_DIAGNOSTIC_LENGTH 1024

/* Grouping */
#define MAX_GROUPED_FRAMES 512      // frames of the fine key
#define MAX_GROUPED_APP_FRAMES 16   // frames of the default key
#define MAX_GROUPED_MESSAGE 1024    // bytes of a message that its class looks at
#define MAX_TITLE_MESSAGE 120       // bytes of a message in a title

/* One analysis */
#define MAX_ANALYSIS_CPU_SECONDS 600
#define MAX_ANALYSIS_MEMORY (16ull << 30)
#define MAX_EXECUTABLE_SIZE (4ull << 30) // address space for an executable and its debug sections
#define MAX_TIME_LIMIT 86400        // seconds; what --time-limit takes at the most
#define DEFAULT_TIME_LIMIT 300      // seconds
#define MINIMAL_TIME_LIMIT 60       // seconds for a minimal snapshot after a failed analysis
#define MAX_WORKER_FILES 16         // descriptor numbers below this may be received

/* Options of the command: caps that a person may set */
#define DEFAULT_STRING 256
#define DEFAULT_ELEMENTS 64
#define DEFAULT_DEPTH 6
#define MAX_OPTION_STRING (1u << 24)
#define MAX_OPTION_ELEMENTS (1u << 24)
#define MAX_OPTION_DEPTH 64

#endif
