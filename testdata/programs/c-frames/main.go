// Every way in which C frames lie on a stack: below Go's, above them, between them, without them.
package main

/*
#cgo CFLAGS: -g -O2
#cgo LDFLAGS: -pthread
#include "c.h"
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
		<-block
	} else if depth < 0 {
		inLibrary()
	}
	return C.through_c(depth - 1)
}

//export goPark
func goPark() { <-block }

//export goFromThread
func goFromThread() { inLibrary() }

func inLibrary() { C.wait_in_library() }

func sorting() { C.sort_and_call() }

func calling(depth int) { C.through_c(C.int(depth)) }

func digging() { C.dig(100) }

func main() {
	which := ""
	if len(os.Args) > 1 {
		which = os.Args[1]
	}
	go inLibrary()
	go sorting()
	go calling(1)  // Go, C, Go, C, Go: parked
	go calling(-1) // Go, C, Go, C
	go digging()
	C.start_thread_in_c()
	C.start_thread_through_go()
	time.Sleep(200 * time.Millisecond)
	switch which {
	case "fault": // until go1.20 a fatal error, from then on a signal
		C.fault_in_library()
	case "nothing":
		C.call_nothing()
	case "handler":
		fmt.Println("crash.kind = \"signal\"")
		C.abort_in_handler()
	case "panic":
		fmt.Println("crash.kind = \"panic\"\ncrash.message = \"beside C\"")
		panic("beside C")
	default:
		fmt.Println("crash.kind = \"signal\"\nready")
		<-block
	}
}
