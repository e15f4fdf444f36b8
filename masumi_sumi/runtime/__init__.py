"""Ray and Kodosumi: the only place that imports them, and late."""
