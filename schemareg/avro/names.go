package avro

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

const maxName = 512

var errName = errors.New("not a valid name")

// checkName holds a name against the specification, with its extension to letters of all languages.
func checkName(s string) error {
	if s == "" || len(s) > maxName {
		return errName
	}
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return errName
		}
	}
	return nil
}

// define makes a named type and enters it under its name and aliases. It also gives the namespace for what is within.
func (p *parser) define(v *jsonValue, k kind, ns string) (*avroType, string, error) {
	name := v.str("name")
	if a := v.get("namespace"); a != nil && a.kind == '"' {
		ns = a.text
	}
	full, ns, err := fullName(name, ns)
	if err != nil {
		return nil, "", fmt.Errorf("%s %q: %w", kindNames[k], clip(name), err)
	}
	if p.named[full] != nil {
		return nil, "", fmt.Errorf("%s %s is defined twice", kindNames[k], full)
	}
	t := &avroType{kind: k, name: full, doc: v.str("doc")}
	p.named[full] = t
	return t, ns, p.aliases(v, t, ns)
}

// aliases lets a type be referred to by its older names as well, where these are free.
func (p *parser) aliases(v *jsonValue, t *avroType, ns string) error {
	list := v.get("aliases")
	if list == nil {
		return nil
	}
	for _, a := range list.items {
		full, _, err := fullName(a.text, ns)
		if err != nil {
			return fmt.Errorf("%s %s: alias %q: %w", kindNames[t.kind], t.name, clip(a.text), err)
		}
		if p.named[full] == nil {
			p.named[full] = t
		}
	}
	return nil
}

func fullName(name, ns string) (full, namespace string, err error) {
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		name, ns = name[dot+1:], name[:dot]
	}
	if _, ok := primitive(name); ok && ns == "" {
		return "", "", errors.New("the name of a primitive type")
	}
	for part := range strings.SplitSeq(ns, ".") {
		if ns != "" && checkName(part) != nil {
			return "", "", errName
		}
	}
	if err := checkName(name); err != nil {
		return "", "", err
	}
	if ns == "" {
		return name, "", nil
	}
	return ns + "." + name, ns, nil
}

// clip bounds what is repeated of a schema in a message.
func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

func itoa(n int) string { return strconv.Itoa(n) }
