package main

import "os"

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version = ""

func main() {
	os.Exit(Execute(os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
