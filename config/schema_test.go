package config

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

const schemaTitle = "ingestd configuration"

// variablePattern matches a scalar that holds a variable: it may stand wherever a single value is wanted.
const variablePattern = `\$\{`

func TestSchemaIsCurrent(t *testing.T) {
	text, err := json.MarshalIndent(buildSchema(readComments(t)), "", "  ")
	require.NoError(t, err)
	compareGolden(t, "schema.json", string(text)+"\n")
}

// TestSchemaFollowsTheParser checks the schema against every file of the tree: what the parser accepts fits the
// schema, and what the schema refuses the parser refuses, too.
func TestSchemaFollowsTheParser(t *testing.T) {
	schema := compiledSchema(t)
	for _, file := range yamlFiles(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		_, _, parseErr := Parse(file, data, Options{LookupEnv: testEnv, NoEnvironment: true})
		document, err := asJSON(data)
		if err != nil {
			require.Error(t, parseErr, "%s is no YAML", file)
			continue
		}
		if err := schema.Validate(document); err != nil && parseErr == nil {
			t.Errorf("%s: accepted, but the schema says %v", file, err)
		}
	}
}

// TestSchemaCatchesSlips names faults an editor must underline.
func TestSchemaCatchesSlips(t *testing.T) {
	schema := compiledSchema(t)
	for _, name := range []string{
		"key_unknown", "key_unknown_near", "key_missing", "choice_unknown", "want_list", "want_mapping", "want_number",
		"want_duration", "want_size", "want_memory", "defaults_topics", "field_type", "partition_transform",
	} {
		data, err := os.ReadFile("testdata/" + name + ".bad.yml")
		require.NoError(t, err)
		document, err := asJSON(data)
		require.NoError(t, err)
		require.Error(t, schema.Validate(document), name)
	}
}

func compiledSchema(t *testing.T) *validator.Schema {
	t.Helper()
	document, err := validator.UnmarshalJSON(strings.NewReader(Schema()))
	require.NoError(t, err)
	c := validator.NewCompiler()
	require.NoError(t, c.AddResource("schema.json", document))
	schema, err := c.Compile("schema.json")
	require.NoError(t, err)
	return schema
}

func asJSON(data []byte) (any, error) {
	text, err := yaml.YAMLToJSON(data)
	if err != nil {
		return nil, err
	}
	return validator.UnmarshalJSON(bytes.NewReader(text))
}

// buildSchema reflects the types, then adds what only this package knows: required keys and defaults.
func buildSchema(c comments) *jsonschema.Schema {
	r := jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true,
		Mapper: scalarSchema, LookupComment: c.of,
	}
	s := r.Reflect(&Config{})
	s.Title = schemaTitle
	for _, block := range blocks(reflect.TypeFor[Config]()) {
		definition := s.Definitions[block.Name()]
		if block == reflect.TypeFor[Config]() {
			definition = s
		}
		if definition != nil {
			complete(definition, block)
		}
	}
	return s
}

func complete(definition *jsonschema.Schema, block reflect.Type) {
	value := defaultsOf(block)
	for _, s := range settingsOf(block) {
		if s.required {
			definition.Required = append(definition.Required, s.name)
		}
		property, ok := definition.Properties.Get(s.name)
		field := value.FieldByIndex(s.index)
		if text, shown := defaultText(field); ok && shown {
			property.Default = text
			if kind := field.Kind(); kind == reflect.Bool || kind == reflect.Int || kind == reflect.Slice {
				property.Default = field.Interface()
			}
		}
	}
}

// scalarSchema describes the types that are written as a single value.
func scalarSchema(t reflect.Type) *jsonschema.Schema {
	if t.Kind() == reflect.Struct && !isScalar(reflect.New(t).Elem()) || t.Kind() == reflect.Pointer {
		return nil
	}
	switch v := reflect.New(t).Elem().Interface().(type) {
	case enum:
		values := make([]any, 0, len(v.options()))
		for _, o := range v.options() {
			values = append(values, o)
		}
		return orVariable(&jsonschema.Schema{Type: "string", Enum: values})
	case Duration:
		return orVariable(&jsonschema.Schema{Type: "string", Pattern: `^([0-9.]+(ns|us|µs|ms|s|m|h))+$`})
	case Size:
		return sizeSchema(`^[0-9.]+ ?([KMGT]i?B|kB|B)?$`)
	case MemoryLimit:
		return sizeSchema(`^[0-9.]+ ?([KMGT]i?B|kB|B|%)?$`)
	case FieldType:
		return orVariable(&jsonschema.Schema{
			Type:    "string",
			Pattern: `^(boolean|int|long|float|double|decimal\(.*\)|date|time|timestamp|timestamptz|string|uuid|fixed\[.*\]|binary|struct|list|map)$`,
		})
	case PartitionField:
		return orVariable(&jsonschema.Schema{
			Type: "string", Pattern: `^([^(]*|(identity|year|month|day|hour|void)\(.*\)|(bucket|truncate)\(.*,.*\))$`,
		})
	case SortField:
		return orVariable(&jsonschema.Schema{Type: "string", Pattern: `^[^(.]+$`})
	case Window:
		return orVariable(&jsonschema.Schema{Type: "string", Pattern: `^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$`})
	case TimeZone:
		return orVariable(&jsonschema.Schema{Type: "string"})
	case Secret, string:
		// Topics, keys and names may look like numbers; the parser takes them as they are written.
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	case bool:
		return orVariable(&jsonschema.Schema{Type: "boolean"})
	case int, int64:
		return orVariable(&jsonschema.Schema{Type: "integer"})
	default:
		return nil
	}
}

func sizeSchema(pattern string) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "string", Pattern: pattern}, {Type: "integer", Minimum: "0"}, {Type: "string", Pattern: variablePattern},
	}}
}

func orVariable(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "string", Pattern: variablePattern}}}
}
