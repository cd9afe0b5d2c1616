// Unlocks what is not locked: a fatal error that no deferred call can stop.
package main

import (
	"fmt"
	"os"
	"sync"
)

type account struct {
	mu      sync.Mutex
	rw      sync.RWMutex
	balance int
}

func (a *account) unlock()  { a.mu.Unlock() }
func (a *account) runlock() { a.rw.RUnlock() }

func main() {
	which := "mutex"
	if len(os.Args) > 1 {
		which = os.Args[1]
	}
	a := &account{}
	defer func() { _ = recover() }()
	switch which {
	case "mutex":
		fmt.Printf("crash.kind = \"fatal error\"\ncrash.goroutine = 1\ncrash.message = \"sync: unlock of unlocked mutex\"\n")
		a.unlock()
	case "rwmutex":
		fmt.Printf("crash.kind = \"fatal error\"\ncrash.goroutine = 1\ncrash.message = \"sync: RUnlock of unlocked RWMutex\"\n")
		a.runlock()
	}
}
