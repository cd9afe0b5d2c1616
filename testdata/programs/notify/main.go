// Listens for signals and has its CPU profiled while it dies: the runtime's own goroutines for both.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"
)

var sink uint64

func work() {
	for i := uint64(0); ; i++ {
		sink += i * i
	}
}

func main() {
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		panic(err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGTERM)
	go work()
	time.Sleep(100 * time.Millisecond)
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		panic(err)
	}
	<-signals
	if len(os.Args) > 1 {
		fmt.Println("crash.kind = \"signal\"")
		_ = syscall.Kill(os.Getpid(), syscall.SIGABRT)
		select {}
	}
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"notified\"\ncrash.goroutine = 1")
	panic("notified")
}
