package config

import "strings"

// SortField is one entry of a sort order, such as `ts desc nulls first`.
type SortField struct {
	// Column is a top-level one.
	Column     string
	Descending bool
	NullsFirst bool
}

// String writes the field with everything that may be left out.
func (s SortField) String() string {
	text := s.Column + " asc nulls "
	if s.Descending {
		text = s.Column + " desc nulls "
	}
	if s.NullsFirst {
		return text + "first"
	}
	return text + "last"
}

func (s *SortField) parse(text string) error {
	if name, _, call := strings.Cut(text, "("); call {
		return hinted{"rows are sorted by columns, not by " + quoteShort(strings.TrimSpace(name)+"(...)"),
			"name the column itself: what is sorted by it is sorted by its year, month, day, hour and truncated value as well"}
	}
	rest, nulls := lastWords(text, "nulls first", "nulls last")
	rest, way := lastWords(rest, "asc", "desc")
	*s = SortField{Column: rest, Descending: way == "desc"}
	// As in Iceberg, nulls are the smallest values unless it is said.
	s.NullsFirst = !s.Descending
	if nulls != "" {
		s.NullsFirst = nulls == "nulls first"
	}
	if strings.Contains(s.Column, ".") {
		return hinted{"members of structs cannot be sorted by", "name a top-level column"}
	}
	return columnName(s.Column)
}

// lastWords takes the words off the end of text that are among those known, in any case. Names of columns may have
// spaces.
func lastWords(text string, known ...string) (rest, found string) {
	text = strings.Join(strings.Fields(text), " ")
	for _, k := range known {
		if at := len(text) - len(k); at > 0 && strings.EqualFold(text[at:], k) && text[at-1] == ' ' {
			return text[:at-1], k
		}
	}
	return text, ""
}
