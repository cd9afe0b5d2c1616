// A goroutine inside libc's resolver, by way of the C code of package net: what programs have that
// use cgo without knowing, linked by Go's own linker. It opens a FIFO that nobody writes to as its
// file of aliases (HOSTALIASES).
package main

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

func lookup() { net.LookupHost("somewhere") }

func main() {
	fifo := os.Getenv("HOSTALIASES")
	if err := syscall.Mkfifo(fifo, 0600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go lookup()
	time.Sleep(300 * time.Millisecond)
	os.Remove(fifo)
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"beside the resolver\"")
	panic("beside the resolver")
}
