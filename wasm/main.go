// Command wasm is the one module of the fleet: tabs render, encode and decode with it, and the server re-renders with
// it what they send. It is a reactor: a host calls _initialize once, and then the exports in exports.go.
//
// A host passes bytes in at input() and finds what a call answers at output(), or at frames() where a call says so.
// These places never move, but the memory that holds them may grow in any call, so a JavaScript host takes a fresh view
// of it after each. An instance serves one connection or one thread, one call at a time. A call that traps leaves the
// instance in an unknown state: the host must not call it again.
package main

// main is never called in a reactor. Run natively, the command does nothing.
func main() {}
