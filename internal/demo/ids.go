package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// idFile remembers the id of the next click, so that ids stay unique when a demo goes on in the same folder.
	idFile = "next-event-id"
	// idReserve is how far the ids jump ahead when the last demo had no time to say where it ended.
	idReserve = 1_000_000_000
)

// freeID gives the id of the next click; 0 in a new folder.
func freeID(dir string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(dir, idFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the next event id: %w", err)
	}
	id, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading the next event id: %w", err)
	}
	return id, nil
}

// keepID writes down the id of the next click.
func keepID(dir string, next int64) error {
	err := os.WriteFile(filepath.Join(dir, idFile), []byte(strconv.FormatInt(next, 10)+"\n"), 0o644)
	if err != nil {
		return fmt.Errorf("keeping the next event id: %w", err)
	}
	return nil
}
