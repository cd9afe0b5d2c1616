// Fills the run queues of its one processor, dumps the core of a copy of itself (fork), and goes on: the
// order in which the goroutines really ran is what it prints. Nothing freezes the world: the copy dies
// of SIGABRT's default action.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

var (
	order = make([]uint64, 0, 4096)
	left  int32
	done  = make(chan bool, 1)
)

func self() uint64 {
	var buffer [64]byte
	words := strings.Fields(string(buffer[:runtime.Stack(buffer[:], false)]))
	id, _ := strconv.ParseUint(words[1], 10, 64)
	return id
}

func ran(id uint64) {
	order = append(order, id)
	if atomic.AddInt32(&left, -1) == 0 {
		done <- true
	}
}

func fresh() { ran(self()) }

// One that has run before and waits, until it is woken.
func waiter(wake <-chan bool) {
	id := self()
	<-wake
	ran(id)
}

// sigaction of a kernel's own: no handler.
type action struct{ handler, flags, restorer, mask uintptr }

// Dumps a copy of this process. Raw calls only: the scheduler must not hear of it.
//
//go:nosplit
func dump() uintptr {
	var none action
	pid, _, _ := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if pid == 0 {
		self, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGABRT),
			uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0)
		syscall.RawSyscall(syscall.SYS_KILL, self, uintptr(syscall.SIGABRT), 0)
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 1, 0, 0)
	}
	return pid
}

// sysmon stops who runs for more than 10 ms, and the last that was made ready shares this time slice:
// what took too long proves nothing and is tried again, in a process of its own.
func again(took time.Duration) {
	tries, _ := strconv.Atoi(os.Getenv("TRIES"))
	if took < 8*time.Millisecond || tries > 200 {
		return
	}
	syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), "TRIES="+strconv.Itoa(tries+1)))
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(1)
	left = int32(count)
	runtime.Gosched()
	begin := time.Now()
	if len(os.Args) > 2 {
		wake := make(chan bool)
		for i := 0; i < count; i++ {
			go waiter(wake)
		}
		runtime.Gosched()
		begin = time.Now()
		close(wake)
	} else {
		for i := 0; i < count; i++ {
			go fresh()
		}
	}
	pid := dump()
	<-done
	took := time.Since(begin)
	syscall.Wait4(int(pid), nil, 0, nil)
	again(took)
	fmt.Println("order =", strings.Replace(fmt.Sprint(order), " ", ", ", -1))
	fmt.Println("crash.kind = \"signal\"")
}
