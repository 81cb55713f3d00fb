package commit

import (
	"context"
	"time"

	"github.com/apache/iceberg-go/table"
)

func (u Upkeep) withDefaults() Upkeep {
	if u.Every == 0 {
		u.Every = 100
	}
	if u.KeepMin == 0 {
		u.KeepMin = 100
	}
	if u.KeepMax == 0 {
		u.KeepMax = 2000
	}
	if u.MaxAge == 0 {
		u.MaxAge = 6 * time.Hour
	}
	return u
}
func (t *Table) upkeep(ctx context.Context)                                 {}
func (t *Table) sweepMetadata(ctx context.Context, old, cur table.Metadata) {}
