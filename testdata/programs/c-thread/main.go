// C that dies by itself: abort() below a goroutine, and a fault on a thread that Go knows nothing of,
// of which the runtime does not print a word.
package main

/*
#cgo LDFLAGS: -pthread
#include <pthread.h>
#include <stdlib.h>

static void *fault(void *nothing) { *(volatile int *)16 = 1; return nothing; }
static void fault_on_thread(void) { pthread_t thread; pthread_create(&thread, NULL, fault, NULL); }
static void give_up(void) { abort(); }
*/
import "C"

import (
	"fmt"
	"os"
)

func busy() { select {} }

func main() {
	for i := 0; i < 3; i++ {
		go busy()
	}
	if len(os.Args) > 1 {
		fmt.Println("died.goroutine = null\ndied.blamed = []\ndied.address = \"0x10\"")
		C.fault_on_thread()
	} else {
		fmt.Println("crash.kind = \"signal\"\ndied.goroutine = 1\ndied.blamed = [1]\ndied.address = null")
		C.give_up()
	}
	select {}
}
