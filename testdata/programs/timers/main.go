// Timers of every kind: sleeping, After, AfterFunc that blocks, tickers, stopped and due ones.
package main

import (
	"context"
	"fmt"
	"time"
)

func sleepers() {
	for i := 1; i <= 20; i++ {
		go time.Sleep(time.Duration(i) * time.Hour)
	}
}

func main() {
	sleepers()
	block := make(chan int)
	time.AfterFunc(time.Millisecond, func() { <-block })
	time.AfterFunc(time.Hour, func() {})
	stopped := time.NewTimer(time.Hour)
	stopped.Stop()
	tick := time.NewTicker(3 * time.Millisecond)
	go func() {
		for range tick.C {
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	go func() { <-ctx.Done() }()
	go func() { <-time.After(time.Hour) }()
	time.Sleep(50 * time.Millisecond)
	fmt.Printf("crash.kind = \"panic\"\ncrash.message = \"time is up\"\ncrash.goroutine = 1\n")
	panic("time is up")
}
