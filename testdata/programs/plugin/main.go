// Runs code of a plugin: its goroutines' functions, types and argument data lie in a second module.
package main

import (
	"fmt"
	"os"
	"plugin"
	"time"
)

func lookUp(p *plugin.Plugin, name string) plugin.Symbol {
	symbol, err := p.Lookup(name)
	if err != nil {
		panic(err)
	}
	return symbol
}

// wholeCore has the kernel dump pages of files as well: the core alone has the plugin then.
func wholeCore() {
	if err := os.WriteFile("/proc/self/coredump_filter", []byte("0x3f"), 0); err != nil {
		panic(err)
	}
}

func main() {
	if os.Getenv("WHOLE_CORE") != "" {
		wholeCore()
	}
	p, err := plugin.Open(os.Args[len(os.Args)-1])
	if err != nil {
		panic(err)
	}
	start := lookUp(p, "Start").(func(int) chan int)
	for i := 0; i < 3; i++ {
		start(i)
	}
	go lookUp(p, "Through").(func(func()))(func() { time.Sleep(time.Hour) })
	time.Sleep(50 * time.Millisecond)
	if os.Args[1] == "wait" {
		fmt.Println("crash.kind = \"signal\"\nready")
		select {}
	}
	fmt.Println("crash.kind = \"panic\"\ncrash.goroutine = 1\ncrash.blamed = [1]")
	lookUp(p, "Die").(func(string))(os.Args[1])
}
