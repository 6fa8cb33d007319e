"""A stand-in for Amazon's services: RDS, EC2, IAM, Elastic Beanstalk, Route 53 and S3, in their XML forms.

State is kept in memory: what a call changes, a later call sees. `faults` holds answers that the next calls get in the
place of the true one, and `calls` what was asked, each as "SERVICE.Action". Signatures are not checked.

Forms: the query protocol of RDS, IAM and Elastic Beanstalk, that of EC2, and the REST forms of Route 53 and S3, as the
vendor's documentation of each API gives them.
"""
import hashlib
import http.server
import re
import threading
import urllib.parse
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape


def element(name, value):
    """XML of a value: a dict as its members, a list as <member>s (or as `name: [...]` says), a bool as XML has it."""
    if isinstance(value, dict):
        inner = "".join(element(key, one) for key, one in value.items())
    elif isinstance(value, (list, tuple)):
        inner = "".join(element("member", one) for one in value)
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


class Named(list):
    """A list whose items have a tag of their own."""

    def __init__(self, tag, items):
        super().__init__(items)
        self.tag = tag


def xml_of(name, value):
    if isinstance(value, Named):
        return f"<{name}>" + "".join(xml_of(value.tag, one) for one in value) + f"</{name}>"
    if isinstance(value, dict):
        return f"<{name}>" + "".join(xml_of(key, one) for key, one in value.items()) + f"</{name}>"
    if isinstance(value, (list, tuple)):
        return f"<{name}>" + "".join(xml_of("member", one) for one in value) + f"</{name}>"
    return element(name, value)


def record_of(ttl, values):
    """What Route 53 says of a record: a TTL in seconds and values, or "alias of ZONE" and the name."""
    if isinstance(ttl, str):
        return {"AliasTarget": {"HostedZoneId": ttl.removeprefix("alias of "), "DNSName": values[0], "EvaluateTargetHealth": False}}
    return {"TTL": ttl, "ResourceRecords": Named("ResourceRecord", [{"Value": one} for one in values])}


class Refused(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def members(form, prefix):
    """[{...}] of the parameters PREFIX.1.NAME, PREFIX.2.NAME, or ["..."] of PREFIX.1, PREFIX.2."""
    found = {}
    for key, value in form.items():
        match = re.fullmatch(re.escape(prefix) + r"\.(\d+)(?:\.(\w+))?", key)
        if match and match[2]:
            found.setdefault(int(match[1]), {})[match[2]] = value
        elif match:
            found[int(match[1])] = value
    return [found[number] for number in sorted(found)]


class Cloud:
    """The state, and what each action does to it."""

    def __init__(self):
        self.delay = 1          # how often something that takes time is seen on its way
        self.faults = []        # (action, code, message, status): for the next call of that action, once
        self.calls = []
        self.databases, self.snapshots, self.environments = {}, {}, {}
        self.instances, self.groups, self.keys = {}, {}, {}
        self.zones, self.buckets = {}, {}
        self.waiting = {}       # of what is on its way: how often it is still seen so
        self.lock = threading.Lock()

    # What takes time: the state that is seen now.
    def progress(self, what, on_the_way, at_the_end):
        if self.waiting.get(what, 0) > 0:
            self.waiting[what] -= 1
            return on_the_way
        return at_the_end

    def begin(self, what):
        self.waiting[what] = self.delay

    # --- RDS

    def on_its_way(self, name):
        self.begin(f"db {name}")
        return {"DBInstance": {"DBInstanceIdentifier": name, "DBInstanceStatus": self.databases[name]["status"]}}

    def database(self, name):
        if name not in self.databases:
            raise Refused("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
        one = self.databases[name]
        if one["status"] == "deleting" and self.progress(f"db {name}", "deleting", "") == "":
            del self.databases[name]
            raise Refused("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
        if one["status"] in ("creating", "modifying"):
            one["status"] = self.progress(f"db {name}", one["status"], "available")
        shown = {"DBInstanceIdentifier": name, "DBInstanceStatus": one["status"], "DBInstanceClass": one["class"],
                 "PubliclyAccessible": one["public"], "AllocatedStorage": 20, "Engine": "postgres"}
        if one["status"] != "creating":
            shown["Endpoint"] = {"Address": f"{name}.cluster.rds.example", "Port": 5432}
        return shown

    def rds(self, action, form):
        name = form.get("DBInstanceIdentifier")
        if action == "DescribeDBInstances":
            return {"DBInstances": Named("DBInstance", [self.database(name)])}
        if action == "DescribeDBSnapshots":
            snapshot = form["DBSnapshotIdentifier"]
            if snapshot not in self.snapshots:
                raise Refused("DBSnapshotNotFound", f"DBSnapshot {snapshot} not found.", 404)
            status = self.progress(f"snapshot {snapshot}", "creating", "available")
            return {"DBSnapshots": Named("DBSnapshot", [{
                "DBSnapshotIdentifier": snapshot, "DBInstanceIdentifier": self.snapshots[snapshot], "Status": status,
                "PercentProgress": 100 if status == "available" else 40}])}
        if action == "CreateDBSnapshot":
            snapshot = form["DBSnapshotIdentifier"]
            self.database(name)
            if snapshot in self.snapshots:
                raise Refused("DBSnapshotAlreadyExists", f"Cannot create the snapshot because {snapshot} already exists.")
            self.snapshots[snapshot] = name
            self.begin(f"snapshot {snapshot}")
            return {"DBSnapshot": {"DBSnapshotIdentifier": snapshot, "Status": "creating"}}
        if action == "RestoreDBInstanceFromDBSnapshot":
            if form["DBSnapshotIdentifier"] not in self.snapshots:
                raise Refused("DBSnapshotNotFound", f"DBSnapshot {form['DBSnapshotIdentifier']} not found.", 404)
            if name in self.databases:
                raise Refused("DBInstanceAlreadyExists", "DB instance already exists")
            self.databases[name] = {"status": "creating", "class": form["DBInstanceClass"], "public": False,
                                    "password": "of the snapshot"}
            return self.on_its_way(name)
        if action == "ModifyDBInstance":
            self.database(name)
            one = self.databases[name]
            one["class"] = form.get("DBInstanceClass", one["class"])
            one["password"] = form.get("MasterUserPassword", one["password"])
            if "PubliclyAccessible" in form:
                one["public"] = form["PubliclyAccessible"] == "true"
            one["status"] = "modifying"
            return self.on_its_way(name)
        if action == "DeleteDBInstance":
            self.database(name)
            if form.get("SkipFinalSnapshot") != "true":
                self.snapshots[form["FinalDBSnapshotIdentifier"]] = name
            self.databases[name]["status"] = "deleting"
            return self.on_its_way(name)
        raise Refused("InvalidAction", f"no {action} here")

    # --- EC2

    def ec2(self, action, form):
        if action == "DescribeSecurityGroups":
            group = form["GroupId.1"]
            if group not in self.groups:
                raise Refused("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
            rules = [{"ipProtocol": protocol, "fromPort": port, "toPort": port,
                      "ipRanges": Named("item", [{"cidrIp": cidr}])} for protocol, port, cidr in sorted(self.groups[group])]
            return {"securityGroupInfo": Named("item", [{"groupId": group, "ipPermissions": Named("item", rules)}])}
        if action in ("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"):
            # One rule, as the tool sends --protocol, --port and --cidr.
            given = {key.split(".", 2)[-1]: value for key, value in form.items() if key.startswith("IpPermissions.1.")}
            given = given or form
            rule = (given["IpProtocol"], given["FromPort"], given.get("IpRanges.1.CidrIp") or given["CidrIp"])
            rules = self.groups[form["GroupId"]]
            if action.startswith("Authorize"):
                if rule in rules:
                    raise Refused("InvalidPermission.Duplicate", "the specified rule already exists")
                rules.add(rule)
            else:
                rules.discard(rule)
            return {"return": True}
        if action == "DescribeInstances":
            instance = form["InstanceId.1"]
            if instance not in self.instances:
                raise Refused("InvalidInstanceID.NotFound", f"The instance ID '{instance}' does not exist")
            return {"reservationSet": Named("item", [{"instancesSet": Named("item", [
                {"instanceId": instance, "instanceState": {"code": 16, "name": self.instances[instance]["state"]}}])}])}
        if action == "DescribeInstanceStatus":
            instance = form["InstanceId.1"]
            state = self.progress(f"instance {instance}", "initializing", "ok")
            return {"instanceStatusSet": Named("item", [{
                "instanceId": instance, "instanceState": {"code": 16, "name": "running"},
                "systemStatus": {"status": state}, "instanceStatus": {"status": state}}])}
        if action == "RebootInstances":
            self.instances[form["InstanceId.1"]]["boots"] += 1
            self.begin(f"instance {form['InstanceId.1']}")
            return {"return": True}
        raise Refused("InvalidAction", f"no {action} here")

    # --- IAM

    def iam(self, action, form):
        user = form.get("UserName", "")
        if user not in self.keys:
            raise Refused("NoSuchEntity", f"The user with name {user} cannot be found.", 404)
        keys = self.keys[user]
        if action == "ListAccessKeys":
            return {"AccessKeyMetadata": [{"UserName": user, "AccessKeyId": key, "Status": one["status"]}
                                          for key, one in keys.items()], "IsTruncated": False}
        if action == "CreateAccessKey":
            if len(keys) >= 2:
                raise Refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409)
            key = f"AKIANEW{len(self.calls):09d}"
            keys[key] = {"status": "Active", "secret": hashlib.sha256(key.encode()).hexdigest()[:40]}
            return {"AccessKey": {"UserName": user, "AccessKeyId": key, "Status": "Active", "SecretAccessKey": keys[key]["secret"]}}
        key = form["AccessKeyId"]
        if key not in keys:
            raise Refused("NoSuchEntity", f"The Access Key with id {key} cannot be found.", 404)
        if action == "UpdateAccessKey":
            keys[key]["status"] = form["Status"]
        elif action == "DeleteAccessKey":
            del keys[key]
        else:
            raise Refused("InvalidAction", f"no {action} here")
        return {}

    # --- Elastic Beanstalk

    def environment(self, name):
        one = self.environments[name]
        if one["status"] != "Terminated":
            ended = "Terminated" if one["status"] == "Terminating" else "Ready"
            one["status"] = self.progress(f"environment {name}", one["status"], ended)
        return one

    def elasticbeanstalk(self, action, form):
        name = form.get("EnvironmentName") or form.get("EnvironmentNames.member.1", "")
        if action == "DescribeEnvironments":
            found = [name] if name in self.environments else []
            return {"Environments": [{"EnvironmentName": one, "Status": self.environment(one)["status"], "Health": "Green",
                                      "CNAME": f"{one}.elasticbeanstalk.example",
                                      "VersionLabel": self.environments[one].get("version", "")} for one in found]}
        if name not in self.environments:
            raise Refused("InvalidParameterValue", f"No Environment found for EnvironmentName = '{name}'.")
        one = self.environment(name)
        if action == "DescribeConfigurationSettings":
            options = [{"Namespace": space, "OptionName": option, "Value": value}
                       for (space, option), value in sorted(one["options"].items())]
            return {"ConfigurationSettings": [{"EnvironmentName": name, "ApplicationName": "cobalt", "OptionSettings": options}]}
        if action == "UpdateEnvironment":
            if one["status"] != "Ready":
                raise Refused("InvalidParameterValue", f"Environment named {name} is in an invalid state for this operation. Must be Ready.")
            one["version"] = form.get("VersionLabel", one.get("version", ""))
            for option in members(form, "OptionSettings.member"):
                one["options"][option["Namespace"], option["OptionName"]] = option.get("Value", "")
            for option in members(form, "OptionsToRemove.member"):
                one["options"].pop((option["Namespace"], option["OptionName"]), None)
            one["status"] = "Updating"
        elif action == "TerminateEnvironment":
            one["status"] = "Terminating"
        else:
            raise Refused("InvalidAction", f"no {action} here")
        self.begin(f"environment {name}")
        return {"EnvironmentName": name, "Status": one["status"]}

    # --- Route 53

    def route53(self, method, path, body):
        zone = path.split("/")[3]
        if zone not in self.zones and "change/" not in path:
            raise Refused("NoSuchHostedZone", f"No hosted zone found with ID: {zone}", 404)
        if method == "GET" and path.endswith("/rrset"):
            self.calls.append("route53.ListResourceRecordSets")
            sets = [{"Name": name, "Type": type_, **record_of(*kept)} for (name, type_), kept in sorted(self.zones[zone].items())]
            return xml_of("ListResourceRecordSetsResponse", {
                "ResourceRecordSets": Named("ResourceRecordSet", sets), "IsTruncated": False, "MaxItems": 300})
        if method == "POST" and path.rstrip("/").endswith("/rrset"):
            self.calls.append("route53.ChangeResourceRecordSets")
            tree = ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", body))
            for change in tree.iter("Change"):
                of = change.find("ResourceRecordSet")
                key = (of.findtext("Name").rstrip(".") + ".", of.findtext("Type"))
                alias = of.find("AliasTarget")
                if alias is None:
                    kept = (int(of.findtext("TTL")), [one.text for one in of.iter("Value")])
                else:
                    kept = (f"alias of {alias.findtext('HostedZoneId')}", [alias.findtext("DNSName").rstrip(".") + "."])
                if change.findtext("Action") == "DELETE":
                    if self.zones[zone].get(key) != kept:
                        raise Refused("InvalidChangeBatch", f"Tried to delete resource record set [name='{key[0]}'] but the values provided do not match the current values")
                    del self.zones[zone][key]
                else:
                    self.zones[zone][key] = kept
            self.begin("change")
            return xml_of("ChangeResourceRecordSetsResponse", {"ChangeInfo": {
                "Id": "/change/C1", "Status": "PENDING", "SubmittedAt": "2026-11-29T00:00:00Z"}})
        if method == "GET" and "/change/" in path:
            self.calls.append("route53.GetChange")
            return xml_of("GetChangeResponse", {"ChangeInfo": {
                "Id": "/change/C1", "Status": self.progress("change", "PENDING", "INSYNC"), "SubmittedAt": "2026-11-29T00:00:00Z"}})
        raise Refused("InvalidInput", f"no {method} {path} here")

    # --- S3

    def s3(self, method, bucket, key, query, headers, body):
        """(status, headers, body)"""
        if bucket not in self.buckets:
            raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
        one = self.buckets[bucket]
        if "encryption" in query:
            self.calls.append(f"s3.{method.title()}BucketEncryption")
            if method == "PUT":
                one["encryption"] = re.search(rb"<SSEAlgorithm>([^<]*)<", body)[1].decode()
                return 200, {}, ""
            if not one["encryption"]:
                raise Refused("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found", 404)
            return 200, {}, xml_of("ServerSideEncryptionConfiguration", {"Rule": {"ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": one["encryption"]}}})
        objects = one["objects"]
        if not key and method == "GET":
            self.calls.append("s3.ListObjectsV2")
            prefix = query.get("prefix", [""])[0]
            contents = "".join(xml_of("Contents", {
                "Key": name, "LastModified": "2026-01-01T00:00:00.000Z", "ETag": f'"{hashlib.md5(data).hexdigest()}"',
                "Size": len(data), "StorageClass": "STANDARD"}) for name, data in sorted(objects.items()) if name.startswith(prefix))
            return 200, {}, f"<ListBucketResult><Name>{bucket}</Name><KeyCount>{len(objects)}</KeyCount><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        if method == "PUT":
            self.calls.append("s3.PutObject")
            source = headers.get("x-amz-copy-source")
            if source:
                of, name = urllib.parse.unquote(source).lstrip("/").split("/", 1)
                objects[key] = self.buckets[of]["objects"][name]
                return 200, {}, xml_of("CopyObjectResult", {"ETag": '"x"', "LastModified": "2026-01-01T00:00:00.000Z"})
            objects[key] = body
            return 200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}, ""
        if method == "DELETE":
            self.calls.append("s3.DeleteObject")
            objects.pop(key, None)
            return 204, {}, ""
        if key in objects:
            self.calls.append(f"s3.{method.title()}Object")
            return 200, {"ETag": f'"{hashlib.md5(objects[key]).hexdigest()}"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}, objects[key]
        raise Refused("NoSuchKey", "The specified key does not exist.", 404)


def unchunked(body):
    """A body of the form aws-chunked: SIZE;chunk-signature=...\\r\\nBYTES\\r\\n..."""
    out = b""
    while body:
        head, _, rest = body.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if size == 0:
            return out
        out, body = out + rest[:size], rest[size + 2:]
    return out


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud = None

    def answer(self, status, body, headers=None):
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/xml", **(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def fault(self, action):
        for fault in self.cloud.faults:
            if fault[0] in (action, "*"):
                self.cloud.faults.remove(fault)
                raise Refused(*fault[1:])

    def query_form(self, service, body):
        form = {key: values[0] for key, values in urllib.parse.parse_qs(body.decode(), keep_blank_values=True).items()}
        action = form["Action"]
        self.cloud.calls.append(f"{service}.{action}")
        self.fault(action)
        result = getattr(self.cloud, service)(action, form)
        if service == "ec2":
            return xml_of(f"{action}Response", {"requestId": "r", **result})
        return xml_of(f"{action}Response", {f"{action}Result": result, "ResponseMetadata": {"RequestId": "r"}})

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "aws-chunked" or "STREAMING" in self.headers.get("x-amz-content-sha256", ""):
            body = unchunked(body)
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", self.headers.get("Authorization", ""))
        service = scope[1] if scope else ""
        with self.cloud.lock:
            try:
                if service in ("rds", "ec2", "iam", "elasticbeanstalk"):
                    self.answer(200, self.query_form(service, body))
                elif service == "route53":
                    self.fault("route53")
                    self.answer(200, self.cloud.route53(self.command, url.path, body))
                elif service == "s3":
                    self.fault("s3")
                    bucket, _, key = url.path.lstrip("/").partition("/")
                    status, headers, text = self.cloud.s3(self.command, bucket, urllib.parse.unquote(key),
                                                          urllib.parse.parse_qs(url.query, keep_blank_values=True), self.headers, body)
                    self.answer(status, text, headers)
                else:
                    raise Refused("InvalidClientTokenId", f"no service '{service}' here", 403)
            except Refused as refused:
                error = {"Code": refused.code, "Message": refused.message}
                if service == "ec2":
                    text = xml_of("Response", {"Errors": {"Error": error}, "RequestID": "r"})
                elif service == "s3":
                    text = xml_of("Error", error)
                else:
                    text = xml_of("ErrorResponse", {"Error": {"Type": "Sender", **error}, "RequestId": "r"})
                self.answer(refused.status, text)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

    def log_message(self, *_):
        pass


def start(cloud):
    """A server on a free port of loopback; stop it with shutdown()."""
    handler = type("Bound", (Handler,), {"cloud": cloud})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
