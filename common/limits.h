// Every cap on hostile input, in one place, so that it can be reviewed in one reading.
// A cap that cuts something is reported in `diagnostics` (code "limit") or beside the value.
#ifndef CORESNAP_COMMON_LIMITS_H
#define CORESNAP_COMMON_LIMITS_H

/* Core files */
#define MAX_CORE_SEGMENTS 1048576 // PT_LOADs; the kernel's own vm.max_map_count default is 65530
#define MAX_CORE_NOTES_SIZE (1u << 30)
#define MAX_THREADS 262144      // NT_PRSTATUS notes
#define MAX_MAPPED_FILES 262144 // rows of NT_FILE
#define MAX_PATH_LENGTH 4096
#define MAX_LINK_MAP 4096        // rows of the dynamic linker's list of libraries
#define MAX_DYNAMIC_ENTRIES 1024 // of one file's dynamic section
#define MIN_DYNAMIC_ENTRIES 8    // fewer tell no two files apart
#define MAX_EXECUTABLE_SEGMENTS 256 // program headers in the executable's first page
#define MAX_EXECUTABLE_NOTES_SIZE 65536
#define MAX_CORE_EXECUTABLE_SIZE (1ull << 30) // of an executable that is read from the core itself
#define MAX_COMPARED_WORDS (1u << 20) // of initialized variables, core beside executable
#define MIN_COMPARED_WORDS 64         // fewer prove nothing
#define DEFAULT_UNPACKED (64ull << 30)    // bytes that a compressed core may unpack to, holes too
#define MAX_UNPACK_MEMORY (160ull << 20)  // of the decompressor's own
#define MAX_UNPACK_WINDOW_LOG 27          // zstd's own default, and what --long asks for: 128 MiB
#define UNPACK_HEAD (1u << 20)            // unpacked first, to see whether it is a core at all
#define UNPACK_KEEP_FREE (1ull << 30)     // left on the disk, or a twentieth of it if that is less
#define UNPACK_HEAD_SECONDS 20            // for the headers and the executable's first page

/* Executables */
#define MAX_PROGRAM_HEADERS 4096 // of an executable; linkers write about ten
#define MAX_BUILD_ID_LENGTH 256  // a Go build id is 83 characters
#define MAX_MODULES 16384        // rows of buildinfo's "dep" lines
#define MAX_BUILD_SETTINGS 256
#define MAX_FUNCTIONS 16777216      // rows of pclntab
#define MAX_PCLNTAB_SIZE (1u << 30) // one that does not lie in one run and must be put together
#define MAX_NAME_COPIES 16          // of one function name in the table; Go writes one
#define MAX_PC_VALUE_STEPS 4194304  // rows of one function's pc-value table
#define MAX_LINE_STEPS 65536        // rows of one function's line table, each looked up
#define MAX_INLINE_DEPTH 256        // logical frames at one pc
#define MAX_SYMBOL_LENGTH 65536     // bytes of one function or file name
#define MAX_LIBRARIES 40            // files that are asked for beside the executable
#define MAX_LINE_LOOKUPS 65536      // places in C whose line is looked up in DWARF
#define MAX_C_INLINE_DEPTH 64       // functions inlined at one of them
#define MAX_OBJECT_COPY (1u << 26)  // bytes of a library that is put together from the core
#define MAX_SYMBOL_STEPS (1u << 28) // rows of ELF symbol tables that are looked at
#define MAX_DWARF_UNITS 1048576     // compilation units; one for each package
#define MAX_DWARF_RANGES 65536      // address ranges of one unit or scope
#define MAX_DWARF_PIECES 64         // parts of one variable's location
#define MAX_LOCATION_ROWS 65536     // rows of one location list
#define MAX_SCOPE_ENTRIES 65536     // variables, blocks and inlined calls of one function
#define MAX_LOST_PARAMETERS 1024    // entries of an inlined function that are looked at
#define MAX_SCOPE_DEPTH 256         // blocks and inlined calls within each other
#define MAX_SCOPE_HOMES 4096        // variables of one function that have memory of their own
#define MAX_COMPARED_VARIABLES 1024 // of one pc, each with each
#define MAX_CLOSURE_SIZE 65536      // bytes of a closure's object
#define MAX_GLOBALS 16384           // package variables that one pattern asks for
#define MAX_VARIABLE_PLANS 65536   // pcs whose variables are looked up
#define MAX_GOROUTINE_VALUES_SIZE (256ull << 20) // memory for the values of one goroutine
#define MAX_VARIABLES 65536        // of one goroutine
#define MAX_STRUCT_DEPTH 16         // members within members, when a field is looked up in DWARF

/* The runtime's own structures */
#define MAX_GOROUTINES 16777216        // allgs
#define MAX_PROCESSORS 65536           // allp
#define MAX_RUNTIME_THREADS 262144     // allm
#define MAX_PLUGIN_FILES 16            // of them, that are asked for
#define MAX_PROCESS_MODULES 64         // the executable and its plugins
#define MAX_RUN_QUEUE 16777216         // steps along one run queue
#define MAX_PANICS 256                 // links of one goroutine's panic chain
#define MAX_TIMERS (1u << 24)          // in the heaps of all processors
#define MAX_PERSISTENT_CHUNKS 65536    // of 256 KiB, in which netpoll's descriptors lie
#define MAX_POLL_DESCRIPTORS (1u << 22)
#define MAX_FINALIZER_BLOCKS (1u << 20)
#define MAX_SUDOGS_FOLLOWED (1u << 24) // in the queues of all channels
#define MAX_NUMBERED_SELECT_CASES 128  // of one select whose cases are numbered
#define MAX_WRAPPED_ERRORS 16          // of one error, in the snapshot
#define MAX_LABELS 256                 // labels of one goroutine
#define MAX_WAIT_REASONS 256
#define MAX_TYPE_NAME 4096
#define MAX_TYPE_FIELDS 65536  // fields of one struct type
#define TEXT_BEYOND 256        // bytes behind a cut text that tell whether it ends within a secret
#define MAX_TYPE_PARTS 4096    // types looked at within one type
#define MAX_TYPE_SIZE (1ull << 47)
#define MAX_PROCESS_STRINGS 4096 // arguments, or environment variables
#define MAX_ARGUMENT_LENGTH 4096 // bytes of one of them
#define MAX_ROOT_STEPS                                                                             \
	(1u << 26)            // words, gs, ms and ps looked at in the search for allgs and the like
#define MAX_ROOT_SAMPLES 4096 // gs of one list that must be ones
#define MAX_FUNCTION_CODE (1u << 20) // bytes of a runtime function whose references are read
#define MAX_CODE_REFERENCES 4096     // of one function
#define MAX_CODE_STARTS 4096         // instructions of one function that begin a line
#define MAX_WAIT_REASON 64           // characters of one wait reason

#define MAX_VALUES_MEMORY (256u << 20) // that the values of one goroutine or channel may take
#define MAX_PANIC_VALUES 65536         // values within the chain of panics
#define MAX_CHANNEL_VALUES 4096        // values within one row of `channels`
#define MAX_CHANNELS_VALUES (1u << 20) // values within all of them
#define MAX_NATURAL_TEXT 1024          // bytes of a well-known type's natural form
#define MAX_PIECES 64             // of one value
#define MAX_MAP_GROUPS_READ 65536 // buckets or groups of one map, full or empty
#define MAX_MAP_TABLES 65536      // of one map's directory

/* The heap */
#define MAX_HEAP_SPANS (1u << 25)         // rows of mheap_.allspans
#define MAX_HEAP_PAGES (1ull << 28)       // of all spans: 2 TiB
#define MAX_HEAP_ARENAS (1u << 22)        // between the lowest and the highest: 256 TiB
#define MAX_HEAP_MEMORY (4ull << 30)      // for the tables of one heap
#define MAX_MARKED_OBJECTS (1u << 28)     // of one heap; a million takes about 0.2 s
#define MAX_SMALL_SPAN (1u << 17)         // bytes of a span with several objects
#define MAX_SPECIALS (1u << 24)           // finalizers and the like, of all objects
#define MAX_MASK_WORDS (1u << 27)         // of one type whose pointers are found by its parts
#define MAX_MASK_PARTS (1u << 24)         // likewise: parts within parts
#define MAX_MASK_DEPTH 64                 // likewise
#define MAX_DEFERS (1u << 20)             // of one goroutine
#define MAX_SELECT_CASES 65536            // of one select (runtime/select.go)
#define MAX_AWAITED_CASES 65536            // of one select (runtime/select.go)
#define MAX_HOLDERS_SHOWN 4               // goroutines that one sentence names

/* Unwinding */
#define MAX_FRAMES 65536 // physical frames of one stack; deeper stacks are cut in the middle
#define MAX_UNWIND_STEPS (1u << 26) // physical frames walked; a 1 GiB stack of the smallest frames
#define MAX_UNWIND_TOTAL (1u << 27) // physical frames walked in one analysis
#define MAX_SIGNAL_FRAMES 16        // nested signal contexts on one thread
#define MAX_CRASH_FRAMES 64         // physical frames of dying above fatalpanic or fatalthrow
#define MAX_C_STEPS                                                                                \
	(1u << 21) // physical frames of C in one analysis; each takes about a microsecond
#define MAX_MAPPING_STEPS (1u << 28) // rows of NT_FILE that are looked at for C code
#define MAX_C_JOINTS 32              // changes between C and Go on one thread
#define MAX_CALLBACKS (1u << 17)     // calls from C into Go that are joined, in one analysis
#define MAX_CFI_STACK 64             // words on the stack of a call frame expression
#define MAX_CFI_OPERATIONS 256       // of one such expression
#define MAX_STACK_SIZE (1ull << 30)  // Go's own largest goroutine stack (runtime.maxstacksize)
#define MAX_STACK_MAP_WORDS (1u << 24) // of one frame, or of one variable in it
#define MAX_STACK_MAPS 16384           // of one function
#define MAX_STACK_OBJECTS 65536        // variables of one frame whose address is taken
#define MAX_LIVENESS_MODULES 64         // the program, and plugins
#define MAX_LIVE_WORDS (1u << 20)      // of one goroutine that hold pointers
#define MAX_DICTIONARY 4096        // words of a generic function's dictionary

/* The flow of values through a function */
#define MAX_FLOW_INSTRUCTIONS 16384 // a larger function is not followed
#define MAX_FLOW_BLOCKS 4096
#define MAX_FLOW_SLOTS 1024      // stack words that it names
#define MAX_FLOW_STATES (1u << 21) // blocks times places
#define MAX_FLOW_PASSES 64       // over all blocks, until nothing changes
#define MAX_FLOW_TOTAL (1u << 28) // places looked at in one analysis
#define MAX_FLOW_ROWS 512         // of one variable's location list
#define MAX_FLOW_GAP 4096         // instructions between a row and the call
#define MAX_PARAMETER_ROW 256     // bytes of a function's name and its parameter's
#define MAX_FLOW_STEPS 64        // from frame to frame for one value

/* Who waits for whom */
#define MAX_PARKED_WORDS 256          // of a stack, in which what it waits on is looked for
#define MAX_WAITS (1u << 26)           // things that all goroutines together wait on
#define MAX_LOCK_FUNCTION 65536        // bytes of a function in which held locks are looked for
#define MAX_LOCK_INSTRUCTIONS (1u << 24) // bytes of all of them together
#define MAX_LOCK_CALLEES 256           // of one such function, that are looked at
#define MAX_LOCK_LOOK_BACK 64          // instructions before a call, for its argument
#define MAX_LOCK_LOOK_AHEAD 8          // instructions behind an atomic one, for what it is part of
#define MAX_LOCK_CANDIDATES 64         // locks that one frame has pointers to
#define MAX_CLAIM_EDGES 64             // from one waiter, to those who seem to hold its lock
#define MAX_CORO_WORDS 64              // of a stack's outermost end
#define MAX_FRAME_WORDS 65536          // of one frame, looked at for such pointers
#define MAX_ISLAND_WORDS (1u << 26)    // looked at, of what only leaked goroutines can reach
#define MAX_BLOCKING_EDGES (1u << 20) // kept; the total is beside them
#define MAX_EVIDENCE_LENGTH 1024      // characters of one sentence

/* What is written */
#define MAX_MESSAGE_LENGTH 65536 // a panic's or throw's text
#define MAX_LABEL_LENGTH 4096
#define MAX_QUEUE_WRITTEN 1024     // rows of one run queue in the snapshot
#define MAX_TIMERS_WRITTEN 1024       // rows of `timers`
#define MAX_DESCRIPTORS_WRITTEN 4096  // rows of `descriptors`
#define MAX_WAITING_ON_WRITTEN 256 // cases of one select in the snapshot
#define MAX_BLOCKING_WRITTEN 16384 // waiters of one lock, verdicts, sentences in the snapshot
#define MAX_VERDICTS_PRINTED 10    // of each kind, in text for people
#define MAX_EDGES_WRITTEN 131072   // of the wait-for graph
#define MAX_GROUP_EXAMPLES 3
#define MAX_DOT_NODES 2000     // boxes of one graph
#define MAX_DOT_EDGES 8000     // and arrows between them
#define MIN_OTHERS 10 // goroutines that must look alike for another one to be unlike them
#define MAX_SHOWN_FRAMES 262144  // logical frames of one printed stack
#define MAX_GROUPING_FRAMES 1024 // of the blamed stack, for title and grouping keys
#define MAX_DIAGNOSTICS 256
#define MAX_DIAGNOSTIC_LENGTH 1024

/* Snapshots that are read */
#define MAX_JSON_DEPTH 128           // containers within containers
#define MAX_JSON_MEMBERS 128         // top-level members
#define MAX_JSON_ROWS 16777216       // rows of one table
#define MAX_JSON_NUMBER 64           // characters of one number
#define MAX_SNAPSHOT_READ (1ull << 30)   // bytes of one file, and of what it unpacks to
#define MAX_SNAPSHOT_MEMORY (2ull << 30) // for what is made of them
#define MAX_SNAPSHOT_SECONDS 60
#define MAX_DIFFERENCE_ROWS (1u << 20)   // names that two snapshots are compared by
#define MAX_DIFFERENCE_DEPTH 6           // objects within objects that hold numbers
#define MAX_DIFFERENCE_FRAMES 256        // of a stack, that a group is known by
#define MAX_DIFFERENCE_SHOWN 6           // of them, in text
#define MAX_JSON_DECODED (16u << 20) // bytes of one row or member that is decoded whole

/* The server */
#define MAX_OBJECT_SIZE                                                                            \
	(512ull << 20) // bytes of one upload, plain or compressed, unless told otherwise
#define MAX_OBJECT_KEY 1024
#define MAX_OBJECT_KEY_PART 240 // leaves room for the store's own suffix in a file name
#define MAX_SNAPSHOT_ID 64      // ids are 32 hex digits today
#define MAX_ROW_TEXT 4096       // bytes of one column of the list
#define MAX_UNPACK_RATIO 1000   // a compressed upload may grow by this, beyond UNPACK_FREE bytes
#define UNPACK_FREE (64ull << 20)
#define MAX_PAGE_SIZE (8u << 20)         // bytes of one page
#define MAX_SERVER_CONNECTIONS 128       // each has a thread
#define MAX_SERVER_WORKERS 4             // processes that parse at one time
#define MAX_WORKER_FILES 16              // descriptor numbers below this may be received
#define MAX_WORKER_SECONDS 60            // of CPU, and of waiting for one
#define MAX_WORKER_MEMORY (512ull << 20) // beside the snapshot's own bytes
#define MAX_IDLE_SECONDS 30              // without a byte on a connection
#define MAX_HEADER_SECONDS 20            // for one request's header to come
#define MIN_BODY_RATE 1024 // bytes a second, averaged over a body, after MAX_HEADER_SECONDS
#define MAX_DRAINED_BODY (64u << 20) // of a refused upload that is read, so that the answer arrives
#define MAX_GROUPS_SHOWN 100         // on one page
#define MAX_THREADS_SHOWN 100
#define MAX_FRAMES_SHOWN 200 // of one stack
#define MAX_CHANNELS_SHOWN 50
#define MAX_GROUP_PAGE 500 // goroutines of a group on one page
#define MAX_SUMMARY_GROUPS 8
#define MAX_SUMMARY_DIAGNOSTICS 3
#define MAX_LIST_ROWS 50     // snapshots on one page of the list
#define MAX_QUERY_LENGTH 256 // bytes of ?q=
#define MAX_TOKEN_LENGTH 1024

/* Grouping */
#define MAX_FRAME_KEY_STEPS (1u << 20) // rows of line tables and functions, for inlined closures
#define MAX_CLOSURE_DEPTH 8            // closures that closures create
#define MAX_BLAMED 16                  // goroutines to look at first
#define MAX_BLAMED_GROUPS 256          // groups that are looked at for them
#define MAX_GROUPED_FRAMES 512    // frames of the fine key
#define MAX_GROUPED_APP_FRAMES 16 // frames of the default key
#define MAX_GROUPED_MESSAGE 1024  // bytes of a message that its class looks at
#define MAX_TITLE_MESSAGE 120     // bytes of a message in a title

/* One analysis */
#define MAX_ANALYSIS_CPU_SECONDS 600
#define MAX_ANALYSIS_MEMORY (16ull << 30)
#define MAX_EXECUTABLE_SIZE (4ull << 30) // address space for an executable and its debug sections
#define MAX_ASKS 1024                    // files that one worker may ask its supervisor for
#define MAX_SEARCH_DIRECTORIES (MAX_WATCH_DIRECTORIES + 1) // --debug-dir options; --exe-dir options
#define MAX_SEARCH_PLACES 512                              // where one file is looked for
#define MAX_FETCH_SECONDS 120                              // of one fetch by debuginfod
#define MAX_FETCHED_SIZE (2ull << 30)                      // bytes of one file from debuginfod
#define MAX_TIME_LIMIT 86400   // seconds; what --time-limit takes at the most
#define DEFAULT_TIME_LIMIT 300 // seconds
#define MINIMAL_TIME_LIMIT 60  // seconds for a minimal snapshot after a failed analysis

/* Options of the command: caps that a person may set */
#define DEFAULT_STRING 256
#define DEFAULT_ELEMENTS 64
#define DEFAULT_DEPTH 6
#define DEFAULT_VALUES 1000 // of one goroutine
#define GLOBAL_VALUES 500   // of one package variable
#define LEAST_VALUES 40     // of one goroutine, however many there are
#define TOTAL_VALUES 51000  // of all goroutines together, about nine megabytes
#define DEFAULT_GOROUTINES 2000 // with variables
#define MAX_OPTION_GOROUTINES (1u << 24)
#define DEFAULT_FIELDS 64
#define DEFAULT_QUEUE 64
#define MAX_OPTION_STRING (1u << 24)
#define MAX_OPTION_ELEMENTS (1u << 24)
#define MAX_OPTION_DEPTH 64
#define MAX_OPTION_FIELDS 65536
#define MAX_OPTION_QUEUE (1u << 24)

/* The daemon */
#define MAX_RECORD_SIZE 65536    // bytes of one of its own JSON records
#define MAX_IDENTITY_SIZE 65536  // bytes of `coresnap identify`'s answer
#define MAX_REPORT_SIZE 8192     // bytes of the packer's report, and of an analyzer's complaint
#define MAX_WATCH_DIRECTORIES 64 // --watch options; --exe-dir options
#define MAX_EXECUTABLES 65536    // files known below all --exe-dir
#define MAX_EXECUTABLE_DIRECTORIES 4096
#define MAX_EXECUTABLE_DEPTH 32        // directories within directories
#define MAX_CANDIDATES 65536           // cores in hand at once; the rest waits for the next rescan
#define MAX_SNAPSHOT_SIZE (4ull << 30) // compressed bytes of one snapshot
#define MAX_QUEUE_ENTRIES 1048576

#endif
