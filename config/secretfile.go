package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
)

const (
	// secretFileSuffix marks the setting that names the file of a secret: `password` has `password_file`.
	secretFileSuffix = "_file"
	// maxSecret bounds a secret file; tokens and keys have a few kilobytes.
	maxSecret = 64 << 10
	// othersRead is the permission bit that shows a file to everybody on the machine.
	othersRead fs.FileMode = 0o004
)

// secretFiles fills the secrets of a block from the files the block names for them.
func (d *decoder) secretFiles(v reflect.Value, settings []setting, path string) {
	for _, s := range settings {
		secret, ok := v.FieldByIndex(s.index).Addr().Interface().(*Secret)
		i := slices.IndexFunc(settings, func(f setting) bool { return f.name == s.name+secretFileSuffix })
		if !ok || i < 0 {
			continue
		}
		at := joinPath(path, settings[i].name)
		name := v.FieldByIndex(settings[i].index).String()
		switch {
		case !d.set(at):
		case d.set(joinPath(path, s.name)):
			d.fault(at, "keep one of them", "the secret is given twice, as %s and as %s", s.name, settings[i].name)
		case name == "" || d.env.lenient:
		default:
			d.readSecret(secret, name, at)
		}
	}
}

func (d *decoder) readSecret(secret *Secret, name, path string) {
	text, err := ReadSecretFile(name)
	if err != nil {
		d.faultErr(path, err)
		return
	}
	*secret = text
}

// ReadSecretFile reads a secret the way `*_file` settings do: without the line break at its end. Packages use
// it again when a token in a file is renewed.
func ReadSecretFile(name string) (Secret, error) {
	f, err := os.Open(name)
	if err != nil {
		return Secret{}, fmt.Errorf("reading the secret: %w", cause(err))
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return Secret{}, fmt.Errorf("reading the secret: %w", cause(err))
	}
	text := strings.TrimRight(string(data), "\r\n")
	switch {
	case text == "":
		return Secret{}, errors.New("the secret file is empty")
	case len(data) > maxSecret:
		return Secret{}, fmt.Errorf("the secret file has more than %d bytes", maxSecret)
	}
	return NewSecret(text), nil
}

// cause drops the operation and the path from a file error: the message names both already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// exposed reports secrets that stand in a file everybody on the machine can read. Headers are redacted as
// secrets are, but most of them are none.
func (d *decoder) exposed(mode fs.FileMode) {
	if mode&othersRead == 0 {
		return
	}
	for _, path := range d.inline {
		if isBelow(path, "catalog.headers") {
			continue
		}
		d.fault(path, fmt.Sprintf("chmod 600 %s, or use %s or ${NAME}", d.file, lastStep(path)+secretFileSuffix),
			"the secret stands in a file that everybody can read (mode %04o)", mode.Perm())
	}
}

func lastStep(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, parentPath(path)), ".")
}
