package demo

import (
	"fmt"
	"io"
)

// Verdict is what verifying every table came to.
type Verdict struct {
	// Proven: every table equals its topics at the level.
	Proven bool
	// Level is what was compared: "source".
	Level string
}

// Table is one table as it is.
type Table struct {
	Name             string `json:"name"`
	MetadataLocation string `json:"metadata_location"`
	Rows             int64  `json:"rows"`
	Snapshots        int    `json:"snapshots"`
	DataFiles        int    `json:"data_files"`
	Bytes            int64  `json:"bytes"`
}

// Summary is the result of a demo that was to catch up. Its JSON form is a documented contract; fields may be added.
type Summary struct {
	// Records is how many records this run produced, Seconds how long producing and ingesting them took.
	Records  int64   `json:"records"`
	Seconds  float64 `json:"seconds"`
	Verified bool    `json:"verified"`
	Level    string  `json:"level"`
	Tables   []Table `json:"tables"`
	Dir      string  `json:"dir"`
}

// WriteText writes the summary for people, with the lines that read the tables from their files.
func (s Summary) WriteText(w io.Writer) error {
	verdict := "NOT verified"
	if s.Verified {
		verdict = "verified"
	}
	_, err := fmt.Fprintf(w, "\n%s records in %.1fs, %s (level %s)\n", thousands(s.Records), s.Seconds, verdict, s.Level)
	for _, t := range s.Tables {
		if err == nil {
			_, err = fmt.Fprintf(w, "  %-11s %s rows, %s, %s, %d snapshots\n", t.Name, thousands(t.Rows), files(t.DataFiles), size(t.Bytes), t.Snapshots)
		}
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "\n%s\n", fileLines(s.Dir, s.Tables))
	}
	return err
}
