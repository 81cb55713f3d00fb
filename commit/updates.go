package commit

import (
	"encoding/json"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// addSchema is the library's update together with the highest column id that the table has ever given. The protocol
// leaves it to the sender; servers older than that change (Nessie among them) cannot read the update without it, and
// some then take the highest id of the schema, which is too low where a column was dropped.
type addSchema struct {
	table.Update
	schema *iceberg.Schema
	last   int
}

func newAddSchema(sc *iceberg.Schema, last int) table.Update {
	return addSchema{table.NewAddSchemaUpdate(sc), sc, max(last, sc.HighestFieldID())}
}

// MarshalJSON writes the update as the protocol has it.
func (u addSchema) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Action string          `json:"action"`
		Schema *iceberg.Schema `json:"schema"`
		Last   int             `json:"last-column-id"`
	}{u.Action(), u.schema, u.last})
}

// schemaOf takes the schema out of a staged update, whose type the library does not show.
func schemaOf(u table.Update) (*iceberg.Schema, error) {
	var w struct {
		Schema *iceberg.Schema `json:"schema"`
	}
	b, err := json.Marshal(u)
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	return w.Schema, err
}
