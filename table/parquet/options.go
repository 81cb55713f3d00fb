package parquet

import "fmt"

// Codec is a compression of pages.
type Codec uint8

// The codecs that every mainstream reader has.
const (
	Zstd Codec = iota
	Snappy
	LZ4 // LZ4_RAW
	Gzip
	None
	codecs int = iota
)

// String is the name used in configurations.
func (c Codec) String() string {
	names := [codecs]string{"zstd", "snappy", "lz4", "gzip", "none"}
	if int(c) >= codecs {
		return fmt.Sprintf("codec(%d)", uint8(c))
	}
	return names[c]
}

// Encoding is the set of value encodings a reader has to know.
type Encoding uint8

const (
	// Compat uses PLAIN and dictionaries only: what version 1 readers know.
	Compat Encoding = iota
	// Delta adds DELTA_BINARY_PACKED for integers: faster and smaller, for newer readers.
	Delta
	encodings int = iota
)

// String is the name used in configurations.
func (e Encoding) String() string {
	names := [encodings]string{"compat", "delta"}
	if int(e) >= encodings {
		return fmt.Sprintf("encoding(%d)", uint8(e))
	}
	return names[e]
}

// Defaults of Options.
const (
	DefaultPageRows  = 20_000
	DefaultPageBytes = 1 << 20
	DefaultDictBytes = 4 << 20
)

// Options says how pages are made. The zero value is the default.
type Options struct {
	Codec       Codec
	Level       int // Zstd 1..22, Gzip 1..9; 0 is the codec's default, for Zstd the fastest
	Encoding    Encoding
	PageRows    int  // rows after which a page ends
	PageBytes   int  // encoded bytes after which a page ends
	DictBytes   int  // bytes of values after which a dictionary takes no more
	NoCRC       bool // leaves the checksum out of page headers
	NoPageIndex bool // leaves column and offset index out of the file
}

// withDefaults fills in the defaults and refuses what makes no sense.
func (o Options) withDefaults() (Options, error) {
	if int(o.Codec) >= codecs {
		return o, fmt.Errorf("unknown %s", o.Codec)
	}
	if int(o.Encoding) >= encodings {
		return o, fmt.Errorf("unknown %s", o.Encoding)
	}
	highest := map[Codec]int{Zstd: 22, Gzip: 9}[o.Codec]
	if o.Level < 0 || o.Level > highest {
		return o, fmt.Errorf("compression level %d is out of range for %s", o.Level, o.Codec)
	}
	for _, f := range []struct {
		value    *int
		fallback int
		name     string
	}{
		{&o.PageRows, DefaultPageRows, "page rows"},
		{&o.PageBytes, DefaultPageBytes, "page bytes"},
		{&o.DictBytes, DefaultDictBytes, "dictionary bytes"},
	} {
		if *f.value < 0 || *f.value > 1<<30 {
			return o, fmt.Errorf("%s of %d are out of range", f.name, *f.value)
		}
		if *f.value == 0 {
			*f.value = f.fallback
		}
	}
	return o, nil
}
