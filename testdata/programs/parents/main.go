// Goroutines that create goroutines; some parents are dead by the time of the crash.
package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

var waiting int64

func wait() {
	atomic.AddInt64(&waiting, 1)
	<-make(chan int)
}

func chain(n int) {
	if n > 0 {
		go chain(n - 1)
	}
	wait()
}

// orphan ends at once; its child stays.
func orphan() { go wait() }

func fan() {
	for i := 0; i < 3; i++ {
		go wait()
	}
	wait()
}

func main() {
	go chain(5)
	go orphan()
	go fan()
	for atomic.LoadInt64(&waiting) < 11 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(5 * time.Millisecond)
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"family\"\ngoroutines = 12")
	if len(os.Args) > 1 {
		panic(os.Args[1])
	}
	panic("family")
}
