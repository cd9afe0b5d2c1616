package main

import (
	"sync"
	"time"
)

type account struct {
	name    string
	balance int
	mu      sync.Mutex
}

//go:noinline
func transfer(from, to *account, b *barrier) {
	from.mu.Lock()
	defer from.mu.Unlock()
	b.meet()
	to.mu.Lock()
	from.balance--
	to.balance++
	to.mu.Unlock()
}

func abbaFirst(a, c *account, b *barrier)  { transfer(a, c, b) }
func abbaSecond(a, c *account, b *barrier) { transfer(c, a, b) }

//go:noinline
func abba() {
	first, second, b := &account{name: "first"}, &account{name: "second"}, newBarrier(2)
	go abbaFirst(first, second, b)
	go abbaSecond(first, second, b)
}

var muA, muB sync.Mutex
var counted int

func globalFirst(b *barrier) {
	muA.Lock()
	counted++
	b.meet()
	muB.Lock()
	counted++
	muB.Unlock()
	muA.Unlock()
}

func globalSecond(b *barrier) {
	muB.Lock()
	counted++
	b.meet()
	muA.Lock()
	counted++
	muA.Unlock()
	muB.Unlock()
}

//go:noinline
func abbaGlobal() {
	b := newBarrier(2)
	go globalFirst(b)
	go globalSecond(b)
}

type fork struct {
	sync.Mutex
	number, uses int
}

func dine(left, right *fork, b *barrier) {
	left.Lock()
	left.uses++
	b.meet()
	right.Lock()
	right.uses++
	right.Unlock()
	left.Unlock()
}

//go:noinline
func philosophers() {
	forks := []*fork{{number: 1}, {number: 2}, {number: 3}}
	b := newBarrier(3)
	for i := range forks {
		go dine(forks[i], forks[(i+1)%3], b)
	}
}

type cache struct {
	mu    sync.RWMutex
	items map[string]int
}

func upgradeLock(c *cache) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if _, ok := c.items["key"]; !ok {
		c.mu.Lock()
		c.items["key"] = 1
		c.mu.Unlock()
	}
}

//go:noinline
func upgrade() { go upgradeLock(&cache{items: map[string]int{}}) }

func readTwice(c *cache, reads, announced chan bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	close(reads)
	<-announced
	time.Sleep(30 * time.Millisecond) // the writer waits by now
	readInner(c)
}

//go:noinline
func readInner(c *cache) {
	c.mu.RLock()
	counted += c.items["key"]
	c.mu.RUnlock()
}

func writeBetween(c *cache, reads, announced chan bool) {
	<-reads
	close(announced)
	c.mu.Lock()
	c.items["key"] = 2
	c.mu.Unlock()
}

//go:noinline
func readerTwice() {
	c, reads, announced := &cache{items: map[string]int{}}, make(chan bool), make(chan bool)
	go readTwice(c, reads, announced)
	go writeBetween(c, reads, announced)
}

type service struct {
	once  sync.Once
	ready bool
}

func (s *service) init() {
	s.ready = true
	s.once.Do(s.init)
}

func enterOnce(s *service) {
	s.once.Do(s.init)
	counted++
}

//go:noinline
func onceAgain() { go enterOnce(&service{}) }

func withdraw(a *account, amount int) bool {
	a.mu.Lock()
	if amount > a.balance {
		return false // and the lock is still held
	}
	a.balance -= amount
	a.mu.Unlock()
	return true
}

func lockAfterError(a *account, done chan bool) {
	<-done
	a.mu.Lock()
	a.balance++
	a.mu.Unlock()
}

//go:noinline
func forgottenUnlock() {
	a, done := &account{balance: 1}, make(chan bool)
	go func() {
		withdraw(a, 2)
		close(done)
	}()
	go lockAfterError(a, done)
	go lockAfterError(a, done)
}

func lockAgain(a *account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balance += lockedBalance(a)
}

//go:noinline
func lockedBalance(a *account) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.balance
}

//go:noinline
func lockTwice() { go lockAgain(&account{}) }

type exchange struct {
	mu    sync.Mutex
	items chan int
	sum   int
}

func lockThenReceive(e *exchange, b *barrier) {
	e.mu.Lock()
	b.meet()
	e.sum += <-e.items
	e.mu.Unlock()
}

func sendUnderLock(e *exchange, b *barrier) {
	b.meet()
	e.mu.Lock()
	e.items <- 1
	e.mu.Unlock()
}

//go:noinline
func mixed() {
	e, b := &exchange{items: make(chan int)}, newBarrier(2)
	go lockThenReceive(e, b)
	go sendUnderLock(e, b)
}
