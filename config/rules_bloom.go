package config

import (
	"strconv"
	"strings"
)

// The table properties of Bloom filters. Their columns are known when the table is created.
const (
	bloomProperties = "write.parquet.bloom-filter-"
	bloomEnabled    = bloomProperties + "enabled.column."
	bloomFPP        = bloomProperties + "fpp.column."
	bloomMaxBytes   = bloomProperties + "max-bytes"

	minBloomBytes = 32
	maxBloomBytes = 128 << 20
)

// bloom checks one property of Bloom filters.
func (v rules) bloom(props map[string]string, name, at string) {
	value := props[name]
	_, enables := strings.CutPrefix(name, bloomEnabled)
	column, shares := strings.CutPrefix(name, bloomFPP)
	switch {
	case enables:
		if value != "true" && value != "false" {
			v.fault(at, "", "want true or false")
		}
	case shares:
		if f, err := strconv.ParseFloat(value, 64); err != nil || !(f > 0 && f < 1) {
			v.fault(at, "", "want the share of false answers, between 0 and 1: 0.01")
		}
		if props[bloomEnabled+column] != "true" {
			v.fault(at, "set "+bloomEnabled+column+": \"true\"", "it has no effect: the column has no Bloom filter")
		}
	case name == bloomMaxBytes:
		if n, err := strconv.Atoi(value); err != nil || n < minBloomBytes || n > maxBloomBytes {
			v.fault(at, "", "want a number of bytes from %d to %d", minBloomBytes, maxBloomBytes)
		}
		if !anyBloom(props) {
			v.fault(at, "set "+bloomEnabled+"NAME: \"true\" for a column", "it has no effect: no column has a Bloom filter")
		}
	default:
		v.fault(at, "", "the properties of Bloom filters are %sNAME, %sNAME and %s", bloomEnabled, bloomFPP, bloomMaxBytes)
	}
}

func anyBloom(props map[string]string) bool {
	for name, value := range props {
		if strings.HasPrefix(name, bloomEnabled) && value == "true" {
			return true
		}
	}
	return false
}
