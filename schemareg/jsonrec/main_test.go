package jsonrec

import (
	"flag"
	"os"
	"testing"
)

// TestMain makes property tests run more cases than the library's default, unless the command line says otherwise.
func TestMain(m *testing.M) {
	checks := flag.Lookup("rapid.checks")
	if err := checks.Value.Set("1000"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}
