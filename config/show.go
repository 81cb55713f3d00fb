package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// YAML writes the configuration with its secrets redacted: what stands in the file, or, when effective, every
// setting that has an effect, defaults included and `defaults:` merged into the tables.
func (c *Config) YAML(effective bool) ([]byte, error) {
	out, err := yaml.MarshalWithOptions(c.show(effective), yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return out, nil
}

// JSON is YAML in JSON.
func (c *Config) JSON(effective bool) ([]byte, error) {
	out, err := yaml.MarshalWithOptions(c.show(effective), yaml.JSON())
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return out, nil
}

func (c *Config) show(effective bool) yaml.MapSlice {
	keep := c.hasEffect
	if !effective {
		keep = func(path string) bool { _, ok := c.written[path]; return ok }
	}
	return tree(reflect.ValueOf(c).Elem(), "", keep)
}

// hasEffect reports whether a setting means anything in this configuration; it hides the ones that the rules
// would refuse if they were written.
func (c *Config) hasEffect(path string) bool {
	if path == "defaults" {
		return false
	}
	if strings.HasSuffix(path, ".allow_plaintext") || path == "admin.allow_remote" {
		_, written := c.written[path]
		return written
	}
	if rest, ok := strings.CutPrefix(path, "sources."); ok {
		name, setting, _ := strings.Cut(rest, ".")
		direct := c.Sources[name].Consumer.Mode == ConsumerDirect
		return !direct || setting != "consumer.session_timeout" && setting != "consumer.instance_id"
	}
	var index int
	var setting string
	if n, _ := fmt.Sscanf(path, "tables[%d].%s", &index, &setting); n != 2 || index >= len(c.Tables) {
		return true
	}
	for _, e := range effects() {
		if e.key == setting {
			return e.does(c.Tables[index])
		}
	}
	return true
}
