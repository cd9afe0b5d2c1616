// The program that tools/make-layouts builds with every release, to read from its DWARF where the
// fields of layout.def lie. Never run: each package is used just enough for the linker to keep the
// types and variables that a row names. Compiles with go1.18.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"
)

type shared struct {
	sync.RWMutex
	group sync.WaitGroup
	once  sync.Once
	woken *sync.Cond
	pool  sync.Pool
	some  sync.Map
	seen  map[string]string
}

var state shared

func work(ctx context.Context, in chan int) {
	defer state.group.Done()
	defer func() { recover() }()
	state.once.Do(func() { state.seen = map[string]string{} })
	state.Lock()
	state.seen[os.Args[0]] = "seen"
	for state.woken = sync.NewCond(&state); in == nil; {
		state.woken.Wait()
	}
	state.some.Store(len(state.seen), state.pool.Get())
	state.Unlock()
	state.RLock()
	defer state.RUnlock()
	select {
	case n := <-in:
		panic(n)
	case <-ctx.Done():
	case <-time.After(time.Second):
		runtime.Goexit()
	}
}

func main() {
	trace.Start(os.Stderr)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	in := make(chan int, 1)
	state.group.Add(1)
	pprof.Do(ctx, pprof.Labels("key", "value"), func(ctx context.Context) { go work(ctx, in) })
	pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
	debug.SetGCPercent(100)
	runtime.SetFinalizer(&state, nil)
	runtime.GC()
	state.group.Wait()
	trace.Stop()
}
