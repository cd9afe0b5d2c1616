// Healthy programs at work or at rest, one of each kind. None of their goroutines is in a deadlock,
// and each that waits can be woken: every verdict on them is a false alarm.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"
)

var parts = []struct {
	name  string
	start func(stop chan struct{}) func()
}{
	{"pool", pool}, {"server", server}, {"tickers", tickers}, {"contended", contended},
	{"producers", producers}, {"flight", flight}, {"pipeline", pipeline},
	{"broadcast", broadcast}, {"sleepers", sleepers}, {"sockets", sockets},
}

func main() {
	stop := make(chan struct{})
	var finish []func()
	for _, part := range parts {
		if len(os.Args) < 2 || os.Args[1] == "" || os.Args[1] == part.name {
			finish = append(finish, part.start(stop))
		}
	}
	for i := 0; i < 3; i++ {
		time.Sleep(50 * time.Millisecond)
		runtime.GC()
	}
	fmt.Println("hang.deadlocks = []\nhang.leaked = {}")
	if profile := pprof.Lookup("goroutineleak"); profile != nil && len(os.Args) > 2 {
		var text bytes.Buffer
		if err := profile.WriteTo(&text, 2); err != nil {
			panic(err)
		}
		if bytes.Contains(text.Bytes(), []byte("(leaked)")) {
			panic(text.String())
		}
		fmt.Println("hang.profile = {}")
	}
	fmt.Println("ready")
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGTERM)
	<-interrupted
	close(stop)
	for _, f := range finish {
		f()
	}
}

type job struct {
	input  int
	result chan int
}

// Workers wait for jobs that come when somebody has some.
func pool(stop chan struct{}) func() {
	jobs := make(chan job)
	var running sync.WaitGroup
	for i := 0; i < 4; i++ {
		running.Add(1)
		go func() {
			defer running.Done()
			for j := range jobs {
				j.result <- 2 * j.input
			}
		}()
	}
	result := make(chan int, 1)
	jobs <- job{21, result}
	<-result
	return func() {
		close(jobs)
		running.Wait()
	}
}

func server(stop chan struct{}) func() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := &http.Server{Handler: http.NotFoundHandler()}
	go s.Serve(listener)
	client := &http.Client{}
	for i := 0; i < 3; i++ {
		answer, err := client.Get("http://" + listener.Addr().String())
		if err != nil {
			panic(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	return func() { s.Close() }
}

func tickers(stop chan struct{}) func() {
	for i := 1; i < 4; i++ {
		go func(period time.Duration) {
			ticker := time.NewTicker(period)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
				case <-stop:
					return
				}
			}
		}(time.Duration(i) * time.Millisecond)
	}
	timer := time.NewTimer(time.Hour)
	go func() { <-timer.C }()
	go func() { <-time.After(time.Hour) }()
	return func() { timer.Reset(0) }
}

type ledger struct {
	left, right sync.Mutex
	table       sync.RWMutex
	sums        [2]int
}

func (l *ledger) both() {
	l.left.Lock()
	defer l.left.Unlock()
	l.right.Lock()
	defer l.right.Unlock()
	l.sums[0]++
	spinFor(20 * time.Microsecond)
	l.sums[1]--
}

func (l *ledger) oneByOne() {
	l.right.Lock()
	l.sums[1]++
	l.right.Unlock()
	l.left.Lock()
	l.sums[0]--
	spinFor(10 * time.Microsecond)
	l.left.Unlock()
}

func (l *ledger) read() int {
	l.table.RLock()
	defer l.table.RUnlock()
	spinFor(10 * time.Microsecond)
	return l.sums[0]
}

func (l *ledger) write() {
	l.table.Lock()
	spinFor(10 * time.Microsecond)
	l.table.Unlock()
}

func spinFor(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

// Locks that many want at every moment, in an order that cannot end badly.
func contended(stop chan struct{}) func() {
	l := &ledger{}
	for i := 0; i < 12; i++ {
		go func(i int) {
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch i % 4 {
				case 0:
					l.both()
				case 1:
					l.oneByOne()
				case 2:
					l.read()
				default:
					l.write()
				}
			}
		}(i)
	}
	return func() { l.both() }
}

func producers(stop chan struct{}) func() {
	items := make(chan int, 4)
	for i := 0; i < 3; i++ {
		go func() {
			for n := 0; ; n++ {
				select {
				case items <- n:
				case <-stop:
					return
				}
			}
		}()
	}
	for i := 0; i < 2; i++ {
		go func() {
			for {
				select {
				case <-items:
					time.Sleep(time.Millisecond)
				case <-stop:
					return
				}
			}
		}()
	}
	return func() {}
}

// As golang.org/x/sync/singleflight: one asks, the others wait for its answer.
type call struct {
	done  sync.WaitGroup
	value int
}

func flight(stop chan struct{}) func() {
	var mu sync.Mutex
	calls := map[string]*call{}
	get := func(key string) int {
		mu.Lock()
		if c, ok := calls[key]; ok {
			mu.Unlock()
			c.done.Wait()
			return c.value
		}
		c := &call{}
		c.done.Add(1)
		calls[key] = c
		mu.Unlock()
		time.Sleep(3 * time.Second)
		c.value = 1
		c.done.Done()
		mu.Lock()
		delete(calls, key)
		mu.Unlock()
		return c.value
	}
	for i := 0; i < 6; i++ {
		go func() {
			for {
				get("key")
			}
		}()
	}
	return func() {}
}

func pipeline(stop chan struct{}) func() {
	numbers, squares := make(chan int), make(chan int)
	go func() {
		defer close(numbers)
		for i := 0; ; i++ {
			select {
			case numbers <- i:
			case <-stop:
				return
			}
			if i%10 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	go func() {
		defer close(squares)
		for n := range numbers {
			squares <- n * n
		}
	}()
	go func() {
		for range squares {
		}
	}()
	return func() {}
}

func broadcast(stop chan struct{}) func() {
	cond := sync.NewCond(&sync.Mutex{})
	rounds := 0
	for i := 0; i < 5; i++ {
		go func() {
			cond.L.Lock()
			defer cond.L.Unlock()
			for rounds >= 0 {
				cond.Wait()
			}
		}()
	}
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				cond.L.Lock()
				rounds++
				cond.L.Unlock()
				cond.Broadcast()
			}
		}
	}()
	return cond.Broadcast
}

// A goroutine that sleeps will wake, and those that wait for it too.
func sleepers(stop chan struct{}) func() {
	for i := 0; i < 3; i++ {
		answer := make(chan int)
		go func() {
			time.Sleep(time.Hour)
			answer <- 1
		}()
		go func() { <-answer }()
	}
	var mu sync.Mutex
	mu.Lock()
	time.AfterFunc(time.Hour, mu.Unlock)
	go func() {
		mu.Lock()
		mu.Unlock()
	}()
	return func() {}
}

func sockets(stop chan struct{}) func() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	reader, writer := io.Pipe()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetReadDeadline(time.Now().Add(time.Hour))
				_, _ = io.Copy(writer, conn)
			}()
		}
	}()
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	for i := 0; i < 3; i++ {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			panic(err)
		}
		go func() {
			var b [16]byte
			_, _ = conn.Read(b[:])
		}()
	}
	return func() { listener.Close() }
}
