// One goroutine for each reason not to run, and what the snapshot should say of it: a line
// `why.NUMBER = "regular expression"` for each.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func self() uint64 {
	var buffer [64]byte
	words := strings.Fields(string(buffer[:runtime.Stack(buffer[:], false)]))
	id, _ := strconv.ParseUint(words[1], 10, 64)
	return id
}

var kept []interface{}

// Starts f and says why it will not run.
func start(why string, f func()) {
	id := make(chan uint64)
	go func() {
		id <- self()
		f()
	}()
	fmt.Printf("why.%d = %q\n", <-id, why)
}

func channels() {
	empty, full := make(chan int), make(chan int, 1)
	full <- 1
	kept = append(kept, empty, full)
	start("waits to receive from channel "+fmt.Sprintf("%p", empty), func() { <-empty })
	start("waits to send to channel "+fmt.Sprintf("%p", full), func() { full <- 2 })
	start(fmt.Sprintf("waits in a select of 2 channels, to (receive from channel %p or send to channel %p|"+
		"send to channel %p or receive from channel %p)", empty, full, full, empty), func() {
		select {
		case <-empty:
		case full <- 3:
		}
	})
	var none chan int
	start("waits to receive from a nil channel: nothing can wake it", func() { <-none })
	start("waits to send to a nil channel: nothing can wake it", func() { none <- 1 })
	start("waits in a select without cases: nothing can wake it", func() { select {} })
}

type locks struct {
	mutex sync.Mutex
	rw    sync.RWMutex
	group sync.WaitGroup
	cond  *sync.Cond
	owner sync.Mutex
}

func locking() {
	l := &locks{}
	l.cond = sync.NewCond(&l.owner)
	kept = append(kept, l)
	l.mutex.Lock()
	l.rw.Lock()
	l.group.Add(1)
	// Until 1.19 the runtime calls all of them "semacquire".
	semaphore := "(waits: semacquire|waits for semaphore .*|"
	start(semaphore+fmt.Sprintf("waits to lock mutex %p)", &l.mutex), func() { l.mutex.Lock() })
	start(semaphore+fmt.Sprintf("waits to read-lock rwmutex %p)", &l.rw), func() { l.rw.RLock() })
	start(semaphore+fmt.Sprintf("waits for waitgroup %p)", &l.group), func() { l.group.Wait() })
	start("waits for a signal of its Cond", func() { l.owner.Lock(); l.cond.Wait() })
}

func outside() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	raw, _ := listener.(*net.TCPListener).SyscallConn()
	var fd uintptr
	raw.Control(func(n uintptr) { fd = n })
	start(fmt.Sprintf("waits to read from descriptor %d, without a deadline", fd), func() { listener.Accept() })
	other, err := net.Listen("tcp", "127.0.0.1:0") // whose connections nobody takes
	if err != nil {
		panic(err)
	}
	kept = append(kept, other)
	client, err := net.Dial("tcp", other.Addr().String())
	if err != nil {
		panic(err)
	}
	raw, _ = client.(*net.TCPConn).SyscallConn()
	raw.Control(func(n uintptr) { fd = n })
	client.SetReadDeadline(time.Now().Add(time.Hour))
	start(fmt.Sprintf(`waits to read from descriptor %d; its deadline is in (60.0|59.[5-9]) min`, fd),
		func() { client.Read(make([]byte, 1)) })
	// It has slept for 300 ms when the program crashes, or longer where the machine has much to do.
	start(`sleeps; its timer fires in 2[0-9]\.\d s`, func() { time.Sleep(30 * time.Second) })
	alarm := time.NewTimer(time.Minute)
	start(`waits to receive from channel 0x[0-9a-f]+; a timer sends to it in 5\d\.\d s`, func() { <-alarm.C })
	ends := make([]int, 2)
	if err := syscall.Pipe(ends); err != nil {
		panic(err)
	}
	// At the crash it has been there for 300 ms; sysmon has seen it within some 10 ms, or later where
	// the machine has much to do.
	start(`in a system call for ([1-9]\d\d ms|\d\.\d s) on thread \d+`,
		func() { syscall.Read(ends[0], make([]byte, 1)) })
}

var spin uint64

func busy() {
	for {
		spin++
	}
}

func reading() {
	channels()
	locking()
	outside()
	time.Sleep(300 * time.Millisecond)
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"why\"\ncrash.goroutine = 1")
	panic("why")
}

// Somebody wants the world to stop, and one thread does not.
func stopping() {
	runtime.GC()
	tid, stopper, begin := make(chan int), make(chan uint64), make(chan bool)
	go func() {
		runtime.LockOSThread()
		tid <- syscall.Gettid()
		busy()
	}()
	thread := <-tid
	go func() {
		stopper <- self()
		<-begin
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
	}()
	fmt.Printf("why.%d = %q\n", <-stopper, fmt.Sprintf("waits for the world to stop; thread %d has not stopped yet", thread))
	fmt.Print("crash.kind = \"signal\"\nready\n")
	begin <- true
	for {
		time.Sleep(time.Hour)
	}
}

func main() {
	if len(os.Args) > 1 {
		stopping()
	}
	reading()
}
