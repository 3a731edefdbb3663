// An HTTP server that makes garbage, caches, or forgets goroutines.
//
//	service SOCKET GARBAGE CACHE_ENTRIES CACHE_BYTES GOROUTINE_BYTES
//
// Sizes are in bytes.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
)

func number(word string) int {
	value, err := strconv.Atoi(word)
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	garbage, entries := number(os.Args[2]), number(os.Args[3])
	cacheBytes, forgotten := number(os.Args[4]), number(os.Args[5])
	var lock sync.Mutex
	cache := map[int][]byte{}
	requests := 0
	never := make(chan struct{})
	handler := func(w http.ResponseWriter, _ *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		requests++
		var parts [][]byte
		for made := 0; made < garbage; made += 1024 {
			parts = append(parts, make([]byte, 1024))
		}
		if entries > 0 {
			cache[requests] = touched(cacheBytes)
			delete(cache, requests-entries)
		}
		if forgotten > 0 {
			answer := touched(forgotten)
			go func() {
				<-never // nobody answers
				fmt.Println(len(answer))
			}()
		}
		fmt.Fprintln(w, requests, len(parts))
	}
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	panic(http.Serve(listener, http.HandlerFunc(handler)))
}

func touched(bytes int) []byte {
	made := make([]byte, bytes)
	for at := 0; at < bytes; at += 1024 {
		made[at] = 1
	}
	return made
}
