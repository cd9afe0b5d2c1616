// Prints what it knows of itself before it crashes, for keys that a traceback does not show.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

type item struct {
	next *item
	data [100]byte
}

var keep *item

func waitLong(c chan int) { <-c }

func main() {
	runtime.GOMAXPROCS(3)
	c := make(chan int)
	var group sync.WaitGroup
	for i := 0; i < 5; i++ {
		group.Add(1)
		go func() {
			group.Done()
			waitLong(c)
		}()
	}
	group.Wait()
	time.Sleep(50 * time.Millisecond)
	parked := time.Now()
	for i := 0; i < 20000; i++ {
		keep = &item{next: keep}
	}
	runtime.GC()
	runtime.GC()
	time.Sleep(300 * time.Millisecond)
	debug.SetGCPercent(-1)
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	fmt.Printf("goroutines = %d\n", runtime.NumGoroutine())
	fmt.Printf("gomaxprocs = %d\n", runtime.GOMAXPROCS(0))
	fmt.Printf("pid = %d\n", os.Getpid())
	fmt.Printf("args = [")
	for i, arg := range os.Args {
		if i > 0 {
			fmt.Print(", ")
		}
		fmt.Printf("%q", arg)
	}
	fmt.Printf("]\n")
	fmt.Printf("go_version = %q\n", runtime.Version())
	fmt.Printf("gc.cycles = %d\ngc.pause_total_ns = %d\n", gc.NumGC, gc.PauseTotal.Nanoseconds())
	fmt.Printf("gc.last_pause_ns = %d\n", gc.Pause[0].Nanoseconds())
	fmt.Printf("memory.heap_alloc = %d\n", mem.HeapAlloc)
	fmt.Printf("gc.heap_goal = %d\n", mem.NextGC)
	fmt.Printf("wait.main.waitLong = %d\n", time.Since(parked).Nanoseconds())
	fmt.Printf("crash.kind = \"panic\"\ncrash.message = \"known\"\ncrash.goroutine = 1\n")
	panic("known")
}
