#!/bin/sh
exec supervisorctl stop gunicorn
