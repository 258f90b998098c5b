"""The course's web pages: students see where they stand, instructors run the course."""
