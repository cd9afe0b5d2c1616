// Children, pipes, timeouts and contexts: a program as people write it, killed in the middle.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"
)

type job struct {
	id   int
	done chan error
}

type pool struct {
	jobs  chan job
	group sync.WaitGroup
}

func (p *pool) run(ctx context.Context) {
	defer p.group.Done()
	for {
		select {
		case j := <-p.jobs:
			j.done <- p.do(ctx, j)
		case <-ctx.Done():
			return
		}
	}
}

func (p *pool) do(ctx context.Context, j job) error {
	if j.id == 3 {
		return errors.New("job 3 is bad")
	}
	<-ctx.Done()
	return ctx.Err()
}

func lines(r *bufio.Scanner, out chan<- string) {
	for r.Scan() {
		out <- r.Text()
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := &pool{jobs: make(chan job)}
	for i := 0; i < 4; i++ {
		p.group.Add(1)
		go p.run(ctx)
	}
	cmd := exec.CommandContext(ctx, "sleep", "30")
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		panic(err)
	}
	go lines(bufio.NewScanner(stdout), make(chan string))
	go func() { _ = cmd.Wait() }()
	results := make([]chan error, 4)
	for i := range results {
		results[i] = make(chan error)
		go func(i int) { p.jobs <- job{i + 1, results[i]} }(i)
	}
	time.Sleep(20 * time.Millisecond)
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"job 3 is bad\"\ncrash.goroutine = 1")
	if err := <-results[2]; err != nil {
		_ = cmd.Process.Kill()
		panic(err)
	}
}
