package main

import (
	"fmt"
	"mime"
	"net"
	"net/http"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "up") })
	http.HandleFunc("/work", func(w http.ResponseWriter, r *http.Request) {
		zone, err := time.LoadLocation("Asia/Tokyo")
		fmt.Fprintln(w, zone, err, mime.TypeByExtension(".html"))
		who, err := user.Lookup("www-data")
		fmt.Fprintln(w, who, err)
		names, err := net.LookupHost("localhost")
		fmt.Fprintln(w, names, err)
		_, err = http.Get("https://127.0.0.1:18087/")
		fmt.Fprintln(w, err)
	})
	go func() { fmt.Println(http.ListenAndServe("127.0.0.1:18087", nil)) }()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
}
