// Faults within the handler of a signal: a C function that the runtime asks for C frames does so. All
// signals are blocked there, and the kernel ends the process without a word of the runtime's.
package main

/*
#include <signal.h>
#include <stdint.h>

struct traceback { uintptr_t context, signal_context, *pcs, max; };

static void ask(void *arg)
{
	struct traceback *traceback = arg;

	if (traceback->signal_context)
		*(volatile int *)16 = 1;
}

static void *asked(void) { return ask; }
static void c_raise(void) { raise(SIGQUIT); }
*/
import "C"

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	runtime.SetCgoTraceback(0, C.asked(), nil, nil)
	go time.Sleep(time.Hour)
	time.Sleep(20 * time.Millisecond)
	fmt.Println("crash.kind = \"signal\"\ndied.goroutine = 1\ndied.blamed = [1]\ndied.address = \"0x10\"\ngoroutines = 2")
	C.c_raise()
}
