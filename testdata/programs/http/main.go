// A web server and its own clients with kept-alive connections, one request in flight.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

func slow(w http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
}

func fast(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, "hello")
}

func crash(w http.ResponseWriter, r *http.Request) {
	go func() { panic("handler of " + r.URL.Path) }()
	select {}
}

func get(client *http.Client, url string) {
	resp, err := client.Get(url)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", slow)
	mux.HandleFunc("/fast", fast)
	mux.HandleFunc("/crash", crash)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	base := "http://" + l.Addr().String()
	for i := 0; i < 5; i++ {
		client := &http.Client{Transport: &http.Transport{}}
		get(client, base+"/fast")
	}
	for i := 0; i < 3; i++ {
		go get(&http.Client{Transport: &http.Transport{}}, base+"/slow")
	}
	time.Sleep(100 * time.Millisecond)
	if len(os.Args) > 1 {
		fmt.Println("crash.kind = \"signal\"\nready")
		select {}
	}
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"handler of /crash\"")
	get(http.DefaultClient, base+"/crash")
}
