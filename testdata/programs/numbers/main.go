// Tells what runtime.ReadMemStats and runtime/metrics say of it, which timers it has set and which
// descriptors it polls, and crashes before anything of that has changed: nothing allocates between
// the reading and the crash, and the collector has no reason to run.
package main

import (
	"net"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	_ "unsafe"
)

//go:linkname nanotime runtime.nanotime
func nanotime() int64

var (
	stats   runtime.MemStats
	again   runtime.MemStats
	samples []metrics.Sample
	kept    []interface{}
	text    = make([]byte, 0, 1<<17)
)

type tree struct {
	left, right *tree
	data        [3]uint64
}

func build(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{left: build(depth - 1), right: build(depth - 1)}
}

// Objects of every size, of which some are garbage by now, and of which the collector has found that.
func allocate() {
	for round := 0; round < 3; round++ {
		for size := 8; size < 40000; size += size/4 + 3 {
			kept = append(kept, make([]byte, size), make([]*int, size/64+1))
			_ = append([]byte(nil), make([]byte, size)...)
		}
		kept = append(kept, build(12))
		runtime.GC()
		kept = kept[:len(kept)/2]
	}
	runtime.GC()
	for i := 0; i < 300; i++ { // and since: tiny ones and others
		b := byte(i)
		kept = append(kept, &b, make([]byte, 100+i))
	}
}

// The crash needs stack: none may be taken for it afterwards.
//
//go:noinline
func deep(n int) byte {
	var room [512]byte
	room[n] = byte(n)
	if n == 0 {
		return room[0]
	}
	return deep(n-1) + room[n]
}

func self() uint64 {
	var buffer [64]byte
	words := strings.Fields(string(buffer[:runtime.Stack(buffer[:], false)]))
	id, _ := strconv.ParseUint(words[1], 10, 64)
	return id
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func descriptor(conn syscall.Conn) (fd uintptr) {
	raw, err := conn.SyscallConn()
	check(err)
	check(raw.Control(func(n uintptr) { fd = n }))
	return fd
}

type fact struct {
	name  string
	value int64
}

var facts []fact

// A goroutine in Accept, one in Read without and one with a deadline; two ends that nobody reads.
func network() {
	ids := make(chan uint64)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	facts = append(facts, fact{"fd.accept", int64(descriptor(listener.(*net.TCPListener)))})
	for i, deadline := range []time.Duration{0, time.Hour} {
		client, err := net.Dial("tcp", listener.Addr().String())
		check(err)
		server, err := listener.Accept()
		check(err)
		if deadline != 0 {
			check(client.SetReadDeadline(time.Now().Add(deadline)))
		}
		kept = append(kept, server)
		name := []string{"plain", "deadline"}[i]
		facts = append(facts, fact{"fd." + name, int64(descriptor(client.(*net.TCPConn)))},
			fact{"fd." + name + "_peer", int64(descriptor(server.(*net.TCPConn)))})
		go func() {
			ids <- self()
			client.Read(make([]byte, 1))
		}()
		facts = append(facts, fact{"reader." + name, int64(<-ids)})
	}
	go func() {
		ids <- self()
		listener.Accept()
	}()
	facts = append(facts, fact{"reader.accept", int64(<-ids)})
	reader, writer, err := os.Pipe()
	check(err)
	check(reader.Close()) // what is closed is none any more
	check(writer.Close())
}

const unfinished = 7

// A finalizer that never ends, and those behind it.
func finalizers() {
	block := make(chan int)
	for i := 0; i < unfinished; i++ {
		runtime.SetFinalizer(&tree{}, func(*tree) { <-block })
	}
}

func later() {}

func timers() {
	ids := make(chan uint64)
	kept = append(kept, time.AfterFunc(2*time.Hour, later), time.NewTicker(30*time.Minute))
	stopped := time.AfterFunc(time.Minute, later)
	stopped.Stop()
	moved := time.AfterFunc(time.Hour, later)
	moved.Reset(3 * time.Hour)
	kept = append(kept, stopped, moved)
	go func() {
		ids <- self()
		time.Sleep(4 * time.Hour)
	}()
	facts = append(facts, fact{"sleeper", int64(<-ids)})
	alarm := time.NewTimer(5 * time.Hour)
	go func() {
		ids <- self()
		<-alarm.C
	}()
	facts = append(facts, fact{"alarmed", int64(<-ids)})
}

func line(name string) {
	text = append(append(text, name...), " = "...)
}

func number(name string, value uint64) {
	line(name)
	text = append(strconv.AppendUint(text, value, 10), '\n')
}

func fraction(name string, value float64) {
	line(name)
	text = append(strconv.AppendFloat(text, value, 'g', -1, 64), '\n')
}

func array(name string, count int, value func(i int) uint64) {
	line(name)
	text = append(text, '[')
	for i := 0; i < count; i++ {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendUint(text, value(i), 10)
	}
	text = append(text, "]\n"...)
}

func tellStats() {
	for _, one := range [...]struct {
		name  string
		value uint64
	}{
		{"Alloc", stats.Alloc}, {"TotalAlloc", stats.TotalAlloc}, {"Sys", stats.Sys},
		{"Lookups", stats.Lookups}, {"Mallocs", stats.Mallocs}, {"Frees", stats.Frees},
		{"HeapAlloc", stats.HeapAlloc}, {"HeapSys", stats.HeapSys}, {"HeapIdle", stats.HeapIdle},
		{"HeapInuse", stats.HeapInuse}, {"HeapReleased", stats.HeapReleased},
		{"HeapObjects", stats.HeapObjects}, {"StackInuse", stats.StackInuse},
		{"StackSys", stats.StackSys}, {"MSpanInuse", stats.MSpanInuse},
		{"MSpanSys", stats.MSpanSys}, {"MCacheInuse", stats.MCacheInuse},
		{"MCacheSys", stats.MCacheSys}, {"BuckHashSys", stats.BuckHashSys},
		{"GCSys", stats.GCSys}, {"OtherSys", stats.OtherSys}, {"NextGC", stats.NextGC},
		{"LastGC", stats.LastGC}, {"PauseTotalNs", stats.PauseTotalNs},
		{"NumGC", uint64(stats.NumGC)}, {"NumForcedGC", uint64(stats.NumForcedGC)},
	} {
		text = append(text, "stats."...)
		number(one.name, one.value)
	}
	fraction("stats.GCCPUFraction", stats.GCCPUFraction)
	array("stats.PauseNs", len(stats.PauseNs), func(i int) uint64 { return stats.PauseNs[i] })
	array("stats.PauseEnd", len(stats.PauseEnd), func(i int) uint64 { return stats.PauseEnd[i] })
	array("sizes.Size", len(stats.BySize), func(i int) uint64 { return uint64(stats.BySize[i].Size) })
	array("sizes.Mallocs", len(stats.BySize), func(i int) uint64 { return stats.BySize[i].Mallocs })
	array("sizes.Frees", len(stats.BySize), func(i int) uint64 { return stats.BySize[i].Frees })
}

func tellMetrics() {
	for i := range samples {
		text = append(text, "metric."...)
		name := samples[i].Name
		switch samples[i].Value.Kind() {
		case metrics.KindUint64:
			number(name, samples[i].Value.Uint64())
		case metrics.KindFloat64:
			fraction(name, samples[i].Value.Float64())
		}
	}
}

func choose() {
	for _, one := range metrics.All() {
		if one.Kind != metrics.KindFloat64Histogram && !strings.HasPrefix(one.Name, "/godebug/") {
			samples = append(samples, metrics.Sample{Name: one.Name})
		}
	}
	metrics.Read(samples)
}

// Threads that are there already need not be made when the world goes on.
func threads() {
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			runtime.LockOSThread()
			time.Sleep(10 * time.Millisecond)
			runtime.UnlockOSThread()
			all.Done()
		}()
	}
	all.Wait()
}

// What the last reading said, as text; true where nothing has changed since.
func read() bool {
	text = text[:0]
	runtime.ReadMemStats(&stats)
	metrics.Read(samples)
	tellStats()
	tellMetrics()
	runtime.ReadMemStats(&again)
	number("now", uint64(nanotime()))
	return stats == again
}

// On a goroutine of its own: to panic below runtime.main's deferred call costs an object until 1.21.
func run() {
	facts = make([]fact, 0, 64)
	network()
	timers()
	finalizers()
	cleanups()
	allocate()
	choose()
	deep(100)
	threads()
	for _, one := range facts {
		number(one.name, uint64(one.value))
	}
	number("finalizers", unfinished)
	number("cleanups", unfinishedCleanups)
	number("crash.goroutine", self())
	text = append(text, "crash.kind = \"panic\"\ncrash.message = \"counted\"\n"...)
	syscall.Write(1, text)
	for i := 0; i < 100 && (!read() || i < 3); i++ {
		time.Sleep(5 * time.Millisecond)
	}
	syscall.Write(1, text)
	panic("counted")
}

func main() {
	go run()
	select {}
}
