// Runs out of memory under a limit of its own making: of address space, of data, of a stack's growth.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
)

var kept [][]byte

func fill() {
	for {
		kept = append(kept, make([]byte, 64<<20))
	}
}

//go:noinline
func deep(n int) int {
	var pad [1024]byte
	pad[n&1023] = byte(n)
	return deep(n+1) + int(pad[(n+1)&1023])
}

func limit(resource int, bytes uint64) {
	if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		panic(err)
	}
}

func main() {
	// A worker of the collector may be the first to miss memory, and dies of a nil pointer then.
	debug.SetGCPercent(-1)
	fmt.Println("crash.kind = \"fatal error\"\ncrash.goroutine = 1\ncrash.blamed = [1]")
	switch os.Args[1] {
	case "space":
		limit(syscall.RLIMIT_AS, 2<<30)
		fill()
	case "data":
		limit(syscall.RLIMIT_DATA, 512<<20)
		fill()
	case "stack":
		debug.SetMaxStack(1 << 40)
		limit(syscall.RLIMIT_DATA, 100<<20)
		fmt.Println(deep(0))
	}
}
