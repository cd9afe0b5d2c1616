// All goroutines are asleep: on channels, a wait group, a select without cases; or main left by Goexit.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

func left(a, b chan int) {
	<-a
	b <- 1
}

func right(a, b chan int) {
	<-b
	a <- 1
}

func lock(first, second *sync.Mutex, both *sync.WaitGroup) {
	first.Lock()
	both.Done()
	both.Wait()
	second.Lock()
}

func main() {
	which := "chan"
	if len(os.Args) > 1 {
		which = os.Args[1]
	}
	message := "all goroutines are asleep - deadlock!"
	if which == "goexit" {
		message = "no goroutines (main called runtime.Goexit) - deadlock!"
	}
	fmt.Printf("crash.kind = \"deadlock\"\ncrash.message = %q\n", message)
	switch which {
	case "chan":
		a, b := make(chan int), make(chan int)
		go left(a, b)
		go right(a, b)
		time.Sleep(5 * time.Millisecond)
		<-make(chan bool)
	case "waitgroup":
		var group sync.WaitGroup
		group.Add(2)
		go group.Done()
		group.Wait()
	case "mutex":
		var a, b sync.Mutex
		var both sync.WaitGroup
		both.Add(2)
		go lock(&a, &b, &both)
		lock(&b, &a, &both)
	case "select":
		select {}
	case "nil":
		var none chan int
		none <- 1
	case "goexit":
		runtime.Goexit()
	}
}
