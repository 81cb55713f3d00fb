package config

// Field declares one column of a JSON key or value.
type Field struct {
	// Column name.
	Name string `yaml:"name"`
	// Iceberg type: boolean, int, long, float, double, decimal(P,S), date, time, timestamp, timestamptz, timestamp_ns, timestamptz_ns, string, uuid, fixed[N], binary, struct, list, map.
	Type FieldType `yaml:"type" required:"true"`
	// A record without this field is an error.
	Required bool `yaml:"required"`
	// Comment of the column.
	Doc string `yaml:"doc"`
	// Name in the JSON object, where it differs from the column's.
	From string `yaml:"from"`
	// How a time is written in JSON: `iso` text or a number of `seconds`, `millis`, `micros`, `nanos` (for `date`: `days`).
	Unit Unit `yaml:"unit"`
	// Members of a struct.
	Fields []Field `yaml:"fields"`
	// Element of a list.
	Element *Field `yaml:"element"`
	// Key of a map.
	Key *Field `yaml:"key"`
	// Value of a map.
	Value *Field `yaml:"value"`
}
