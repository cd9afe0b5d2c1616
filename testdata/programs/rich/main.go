// One goroutine, at least, in every way of waiting that a program meets.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

type server struct {
	mu   sync.Mutex
	rw   sync.RWMutex
	cond *sync.Cond
	once sync.Once
	jobs sync.WaitGroup
}

var (
	none  chan int
	empty = make(chan int)
	full  = make(chan string, 2)
	sink  uint64
)

func send(text string)   { full <- text }
func sendUnbuffered()    { empty <- 7 }
func receive(c chan int) { <-c }

func collect(c chan int) {
	for range c {
	}
}

func choose(a, b chan int) {
	select {
	case <-a:
	case b <- 1:
	case <-time.After(time.Hour):
	}
}

func forever() { select {} }

func (s *server) lock()     { s.mu.Lock() }
func (s *server) read()     { s.rw.RLock() }
func (s *server) write()    { s.rw.Lock() }
func (s *server) finish()   { s.jobs.Wait() }
func (s *server) initOnce() { s.once.Do(func() { <-none }) }

func (s *server) wait() {
	s.cond.L.Lock()
	s.cond.Wait()
}

func readPipe(fd int) {
	var b [8]byte
	_, _ = syscall.Read(fd, b[:])
}

func readFile(f *os.File) {
	var b [8]byte
	_, _ = f.Read(b[:])
}

func locked() {
	runtime.LockOSThread()
	<-none
}

func lockedSyscall(fd int) {
	runtime.LockOSThread()
	readPipe(fd)
}

func accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go serve(c)
	}
}

func serve(c net.Conn) {
	var b [64]byte
	_, _ = c.Read(b[:])
}

func compute() {
	for i := uint64(0); ; i++ {
		sink += i
	}
}

func generation(n int) {
	if n > 0 {
		go generation(n - 1)
	}
	time.Sleep(time.Hour)
}

func main() {
	s := &server{}
	s.cond = sync.NewCond(&sync.Mutex{})
	s.jobs.Add(1)
	s.mu.Lock()
	s.rw.Lock()
	full <- "one"
	full <- "two"
	go send("three")
	go send("four")
	send5 := func() { full <- "five" }
	go send5()
	numbers := make(chan int)
	go func() { numbers <- 1 }()
	go receive(empty)
	go collect(make(chan int))
	go receive(none)
	go func() { none <- 1 }()
	go choose(make(chan int), make(chan int))
	go forever()
	go s.lock()
	go s.lock()
	go s.read()
	go s.write()
	go s.wait()
	go s.finish()
	go s.initOnce()
	go time.Sleep(time.Hour)
	go generation(3)
	time.AfterFunc(time.Hour, func() {})
	go func() { <-time.NewTimer(time.Hour).C }()
	go func() {
		for range time.Tick(time.Hour) {
		}
	}()
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	go readPipe(pipe[0])
	go lockedSyscall(pipe[0])
	go locked()
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	defer w.Close()
	go readFile(r)
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		go accept(l)
		for i := 0; i < 3; i++ {
			if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
				go serve(c)
			}
		}
	}
	go compute()
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	time.Sleep(50 * time.Millisecond)
	if len(os.Args) > 1 {
		fmt.Println("crash.kind = \"signal\"\nready")
		<-none
	}
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"rich\"\ncrash.goroutine = 1")
	panic("rich")
}
