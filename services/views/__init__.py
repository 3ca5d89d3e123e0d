"""Pages of services: the public, the applicant, the officer."""
