// Everybody waits for a lock whose holder is in C code that does not return. No deadlock: C may yet.
package main

// #include <unistd.h>
// static void forever(void) { for (;;) pause(); }
import "C"

import (
	"fmt"
	"sync"
	"time"
)

type device struct {
	name  string
	mu    sync.Mutex
	calls int
}

func holdInC(d *device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	C.forever()
	d.calls++
}

func wantLock(d *device) {
	time.Sleep(20 * time.Millisecond)
	d.mu.Lock()
	d.calls++
	d.mu.Unlock()
}

func main() {
	d := &device{name: "one"}
	go holdInC(d)
	for i := 0; i < 3; i++ {
		go wantLock(d)
	}
	time.Sleep(100 * time.Millisecond)
	fmt.Println(`hang.deadlocks = []
hang.leaked = {}
hang.waits = [["main.wantLock", "main.holdInC"]]
hang.blamed = "main.holdInC"
ready`)
	time.Sleep(time.Hour)
	fmt.Println(d.name)
}
