package state

// Change moves one partition; see Apply.
type Change struct {
	Key      Key
	From, To Position
	Totals
	Closed, Drop bool
}

// Mismatch is a stored position that is not the one a batch begins with.
type Mismatch struct {
	Key Key
	// Wanted is what the batch begins with, Stored what the table says.
	Wanted, Stored Position
}
