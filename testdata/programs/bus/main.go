// Reads a page of a mapped file that was truncated since: SIGBUS, fatal or as a panic.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"unsafe"
)

//go:noinline
func sum(pages []byte) (total int) {
	for i := 0; i < len(pages); i += 512 {
		total += int(pages[i])
	}
	return total
}

func mapped() []byte {
	file, err := os.Create("mapped")
	if err != nil {
		panic(err)
	}
	size := 4 * os.Getpagesize()
	if err := file.Truncate(int64(size)); err != nil {
		panic(err)
	}
	pages, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	if err := file.Truncate(int64(size / 2)); err != nil {
		panic(err)
	}
	os.Remove("mapped")
	return pages
}

func main() {
	pages := mapped()
	fmt.Printf("died.address = \"%#x\"\ncrash.goroutine = 1\ncrash.blamed = [1]\n",
		uintptr(unsafe.Pointer(&pages[len(pages)/2])))
	if len(os.Args) > 1 {
		debug.SetPanicOnFault(true)
		fmt.Println("crash.kind = \"panic\"")
		fmt.Println("crash.message = \"runtime error: invalid memory address or nil pointer dereference\"")
	} else {
		fmt.Println("crash.kind = \"fatal error\"\ncrash.message = \"fault\"")
	}
	fmt.Println(sum(pages))
}
