// Go and C: goroutines inside C, C that calls back into Go, crashes on either side.
package main

/*
#include <stdint.h>
#include <unistd.h>

extern int goCallback(int depth);

static void c_wait(void) { pause(); }
static int c_inner(int depth) { return goCallback(depth) + 1; }
static int c_call(int depth) { return c_inner(depth) + 1; }
static void c_fault(void) { *(volatile int *)16 = 1; }
*/
import "C"

import (
	"fmt"
	"os"
	"time"
)

var block = make(chan int)

//export goCallback
func goCallback(depth C.int) C.int {
	if depth == 0 {
		if crashBelow {
			panic("below C")
		}
		<-block
	}
	return C.c_call(depth - 1)
}

var crashBelow bool

func inC() { C.c_wait() }

func throughC(depth int) { C.c_call(C.int(depth)) }

func main() {
	which := "panic"
	if len(os.Args) > 1 {
		which = os.Args[1]
	}
	go inC()
	go inC()
	go throughC(0)
	go throughC(2)
	time.Sleep(50 * time.Millisecond)
	switch which {
	case "panic":
		fmt.Println("crash.kind = \"panic\"\ncrash.message = \"beside C\"")
		panic("beside C")
	case "below":
		fmt.Println("crash.kind = \"panic\"\ncrash.message = \"below C\"")
		crashBelow = true
		throughC(1)
	case "fault":
		C.c_fault() // until go1.20 a fatal error, then a signal
	case "wait":
		fmt.Println("crash.kind = \"signal\"\nready")
		<-block
	}
}
