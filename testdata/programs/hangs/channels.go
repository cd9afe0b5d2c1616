package main

import (
	"context"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func pass(in, out chan int) {
	for v := range in {
		out <- v
	}
}

//go:noinline
func ring() {
	a, b, c := make(chan int), make(chan int), make(chan int)
	go pass(a, b)
	go pass(b, c)
	go pass(c, a)
}

func answerLate(result chan int) {
	time.Sleep(20 * time.Millisecond)
	result <- 42
}

//go:noinline
func forgottenSender() {
	result := make(chan int)
	go answerLate(result)
	select {
	case <-result:
	case <-time.After(time.Millisecond):
	}
}

func work(jobs chan int) {
	for job := range jobs {
		counted += job
	}
}

//go:noinline
func leakedWorkers() {
	jobs := make(chan int, 8)
	for i := 0; i < 3; i++ {
		go work(jobs)
	}
	jobs <- 1
}

func waitForAll(group *sync.WaitGroup) {
	group.Wait()
	counted++
}

//go:noinline
func lostDone() {
	group := &sync.WaitGroup{}
	group.Add(2)
	go func() { group.Done() }()
	go func() {
		if counted >= 0 {
			return // and Done is forgotten
		}
		group.Done()
	}()
	go waitForAll(group)
}

func waitForSignal(cond *sync.Cond) {
	cond.L.Lock()
	cond.Wait()
	cond.L.Unlock()
}

//go:noinline
func condWithoutSignal() { go waitForSignal(sync.NewCond(&sync.Mutex{})) }

func produce(out chan int) {
	for i := 0; ; i++ {
		out <- i
	}
}

func double(in, out chan int) {
	for v := range in {
		out <- 2 * v
	}
}

func consumeTwo(in chan int) {
	<-in
	<-in
}

//go:noinline
func fullPipeline() {
	numbers, doubled := make(chan int, 4), make(chan int, 2)
	go produce(numbers)
	go double(numbers, doubled)
	go consumeTwo(doubled)
}

func selectDead(a, b chan int) {
	select {
	case v := <-a:
		counted += v
	case b <- 1:
	}
}

func selectNone() { select {} }

//go:noinline
func selectWithoutCase() {
	go selectDead(make(chan int), make(chan int))
	go selectNone()
}

type resource struct {
	released chan bool
	data     [64]byte
}

func finalize(r *resource) { <-r.released }

//go:noinline
func blockedFinalizer() {
	for i := 0; i < 8; i++ {
		runtime.SetFinalizer(&resource{released: make(chan bool)}, finalize)
	}
	runtime.GC()
}

// As golang.org/x/sync/errgroup has it.
type group struct {
	wg   sync.WaitGroup
	once sync.Once
	err  error
}

func (g *group) Go(f func() error) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		if err := f(); err != nil {
			g.once.Do(func() { g.err = err })
		}
	}()
}

func (g *group) Wait() error {
	g.wg.Wait()
	return g.err
}

func groupCaller(g *group) {
	g.Go(func() error { return g.Wait() })
	_ = g.Wait()
}

//go:noinline
func groupInItself() { go groupCaller(&group{}) }

type pool struct {
	tokens chan struct{}
	cancel chan struct{}
}

func takeToken(p *pool) {
	<-p.tokens // and the work that it was for was cancelled: it is never given back
	select {
	case <-p.tokens:
	case <-p.cancel:
	}
}

//go:noinline
func lostToken() {
	p := &pool{tokens: make(chan struct{}, 1), cancel: make(chan struct{})}
	p.tokens <- struct{}{}
	go takeToken(p)
}

func waitForCancel(ctx context.Context) { <-ctx.Done() }

var dropped context.CancelFunc

//go:noinline
func forgottenContext() {
	ctx, cancel := context.WithCancel(context.Background())
	dropped = cancel
	go waitForCancel(ctx)
	time.Sleep(time.Millisecond)
	dropped = nil
}

func receiveNil(c chan int) { <-c }
func sendNil(c chan int)    { c <- 1 }

//go:noinline
func nilChannel() {
	go receiveNil(nil)
	go sendNil(nil)
}

func waitForTimer(timer *time.Timer) { <-timer.C }

//go:noinline
func stoppedTimer() {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	go waitForTimer(timer)
}

func waitForItself(group *sync.WaitGroup) {
	defer group.Done()
	group.Wait()
}

//go:noinline
func groupOfOne() {
	group := &sync.WaitGroup{}
	group.Add(1)
	go waitForItself(group)
}

var spinning int

func spin() {
	for {
		spinning++
		runtime.Gosched()
	}
}

// More goroutines that want to run than processors: they stand in queues.
//
//go:noinline
func starved() {
	for i := 0; i < 40; i++ {
		go spin()
	}
}

func readForever(fd int) {
	var b [1]byte
	_, _ = syscall.Read(fd, b[:])
}

var pipe [2]int

// Goroutines in system calls that nobody answers, each with a thread of its own.
//
//go:noinline
func storm() {
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	for i := 0; i < 30; i++ {
		go readForever(pipe[0])
	}
}
