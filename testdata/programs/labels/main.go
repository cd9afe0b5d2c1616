// Goroutines with profiler labels, some inherited.
package main

import (
	"context"
	"fmt"
	"runtime/pprof"
	"time"
)

func wait() { <-make(chan int) }

func main() {
	ctx := context.Background()
	pprof.Do(ctx, pprof.Labels("request", "42"), func(ctx context.Context) {
		go wait()
		pprof.Do(ctx, pprof.Labels("user", "ann b", "path", "/a/b?c=\"d\""), func(context.Context) {
			go wait()
		})
	})
	go pprof.Do(ctx, pprof.Labels("empty", "", "tab", "a\tb", "é", "ü"), func(context.Context) { wait() })
	go wait()
	pprof.SetGoroutineLabels(pprof.WithLabels(ctx, pprof.Labels("job", "main")))
	time.Sleep(20 * time.Millisecond)
	fmt.Println(`crash.kind = "panic"`)
	fmt.Println(`crash.message = "labelled"`)
	fmt.Println(`labels = [{"job": "main"}, {"request": "42"}, {"path": "/a/b?c=\"d\"", "request": "42", "user": "ann b"}, {"empty": "", "tab": "a\tb", "é": "ü"}]`)
	panic("labelled")
}
